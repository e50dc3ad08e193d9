"""Every error that this package raises on purpose.

    ChurnError                 500  the base; its message is meant for a person
    ├── ExtractError           422  the HR extracts have problems: all of them, listed
    │   └── RejectedRowsError  422  rows have problems, and none was to be left out
    ├── DictionaryError        422  a dictionary contradicts itself, or is too new: all that is wrong, listed
    ├── TrainingError          422  the data cannot be learned from
    ├── SettingsError          500  a setting is missing, malformed or unsafe
    ├── ModelError             503  no usable model in the store
    ├── DatabaseError          503  the database is out of reach or not at head
    ├── ServiceError           503  the service that should run here does not, or is not well
    ├── JournalFullError       503  too many calls wait to be journalled
    ├── OverloadedError        503  a worker's memory is in use
    ├── MirrorError            503  the journal's copy on the Hugging Face Hub cannot be read or written
    ├── SpoolError             503  neither the database nor the spool can be written
    ├── RoomError              503  the disk has no room for files that are sent
    ├── DeliveryError          500  something cannot be delivered, or was and does not run
    ├── IdentityError          409  a user or token cannot be made as asked
    └── RefusalError                an HTTP call that is refused
        ├── UnauthorizedError      401  no credentials, or wrong ones
        ├── ForbiddenError         403  the caller is known, but may not do this
        │   └── CrossSiteError     403  another site had the caller's browser send it
        ├── NotFoundError          404  there is nothing at this address
        ├── ConflictError          409  a job is not in the state for this
        ├── PayloadTooLargeError   413  the body has too many bytes or rows
        ├── UnfinishedError        400  the body did not arrive whole; 408 or 431 where the server ended it
        ├── UnsupportedMediaError  415  the body is not declared as JSON
        │   └── FormTypeError      415  … or as a form with files, where these are expected
        ├── InvalidInputError      422  one entry per offending field
        ├── TooManyRequestsError   429  too many calls, or too many failed ones
        └── TookTooLongError       504  no answer before the deadline

The status is the one that an HTTP caller receives; the command line prints the message and exits with 1.
Messages say what is wrong and what to do, and those of the service never hold an employee's values or a
credential.
"""

import copyreg
from collections.abc import Sequence
from dataclasses import dataclass

from churn.core.language import Pair


class ChurnError(Exception):
    """Base of all: carries a message for a person and the HTTP status of its kind."""

    status = 500

    def __reduce__(self) -> tuple[object, ...]:
        """Make the error picklable, whatever its constructor takes."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in an extract: its place, and what was expected there."""

    file: str
    line: int | None
    column: str | None
    value: str | None
    expected: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        column = f": {self.column}" if self.column else ""
        value = " is empty" if self.value == "" else f" = {self.value!r}" if self.value is not None else ""
        return f"{where}{column}{value}: {self.expected}"


class ExtractError(ChurnError):
    """The extracts cannot be used; `problems` lists why (up to 50), `total` counts them all."""

    status = 422

    def __init__(self, problems: Sequence[Problem], total: int | None = None) -> None:
        self.problems = tuple(problems)
        self.total = len(self.problems) if total is None else total
        more = self.total - len(self.problems)
        lines = [f"{self.total} problem{'s' * (self.total != 1)} in the data:"]
        lines += [f"  {problem}" for problem in self.problems]
        lines += [f"  … and {more} more"] * (more > 0)
        super().__init__("\n".join(lines))


class RejectedRowsError(ExtractError):
    """Rows have problems, where none was to be left out."""


class DictionaryError(ChurnError):
    """A dictionary cannot be used; the message says what is wrong in it, and how to mend that."""

    status = 422


class TrainingError(ChurnError):
    """The data cannot be learned from (too few rows, one class only, …)."""

    status = 422


class SettingsError(ChurnError):
    """A setting is missing, malformed or unsafe; the message names it and what was expected."""


class ModelError(ChurnError):
    """There is no usable model in the store; the message names the command that makes one."""

    status = 503


class DatabaseError(ChurnError):
    """The database is out of reach or not at head; the message names the command that mends it."""

    status = 503


class ServiceError(ChurnError):
    """The service that should run here does not answer, is not ready, or lacks workers."""

    status = 503


class JournalFullError(ChurnError):
    """Too many calls wait to be journalled: the caller is asked to try again later."""

    status = 503


class OverloadedError(ChurnError):
    """Other calls use all the memory of a worker: the caller is asked to try again later."""

    status = 503


class MirrorError(ChurnError):
    """The journal's copy on the Hugging Face Hub cannot be read or written now."""

    status = 503


class SpoolError(ChurnError):
    """The spool, where the journal goes while the database is away, cannot be written or is full."""

    status = 503


class RoomError(ChurnError):
    """The disk has no room for the files that callers send: they are asked to try again later."""

    status = 503


class DeliveryError(ChurnError):
    """Something cannot be delivered to where it is to run, or was and does not run there."""


class IdentityError(ChurnError):
    """A user or token cannot be made as asked (the name is taken, the password too weak, …).

    `french` says the same to whoever uses the pages.
    """

    status = 409

    def __init__(self, message: str, french: str = "") -> None:
        super().__init__(message)
        self.french = french or message


class RefusalError(ChurnError):
    """An HTTP call that is refused; `churn.i18n.messages` has its sentence."""

    status = 400


class UnauthorizedError(RefusalError):
    """The caller gave no credentials, or wrong ones; the answer does not say which."""

    status = 401


class ForbiddenError(RefusalError):
    """The caller is known, but lacks the scope for this."""

    status = 403


class CrossSiteError(ForbiddenError):
    """A page of another site made a signed-in user's browser send this."""


class NotFoundError(RefusalError):
    """There is nothing at this address."""

    status = 404


class ConflictError(RefusalError):
    """What is asked for does not fit the state that a job is in; `kind` says what was expected."""

    status = 409

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class TookTooLongError(RefusalError):
    """There was no answer before the deadline."""

    status = 504


class PayloadTooLargeError(RefusalError):
    """The body is over `limit` `unit`s (bytes or rows)."""

    status = 413

    def __init__(self, limit: int, unit: str) -> None:
        super().__init__(f"over {limit} {unit}s")
        self.limit, self.unit = limit, unit


class TooManyRequestsError(RefusalError):
    """Too many calls, or too many failed ones; the next is allowed in `wait` seconds."""

    status = 429

    def __init__(self, wait: float) -> None:
        super().__init__("too many requests")
        self.wait = wait


class UnfinishedError(RefusalError):
    """The body did not arrive whole: nobody reads this answer, but the journal keeps it.

    `status` is the one that was already sent, where the server ended the request.
    """

    def __init__(self, status: int | None = None) -> None:
        super().__init__("unfinished")
        self.status = status or RefusalError.status


class UnsupportedMediaError(RefusalError):
    """The body is not declared as JSON."""

    status = 415


class FormTypeError(UnsupportedMediaError):
    """The body is not declared as a form with files."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One offending field of a request; never its value.

    `loc` is its place (in a batch, with the row), `kind` a code for what is wrong, `field` the canonical
    name of a known field, and `expected` what that may hold.
    """

    loc: tuple[str | int, ...]
    kind: str
    field: str | None = None
    expected: Pair | None = None


class InvalidInputError(RefusalError):
    """The body was read but does not hold valid employees; `errors` has one entry per field."""

    status = 422

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(f"{len(errors)} invalid field{'s' * (len(errors) != 1)}")
        self.errors = tuple(errors)
