"""Every error that this package raises on purpose.

    ChurnError                 500  the base; its message is meant for a person
    ├── ExtractError           422  the HR extracts have problems: all of them, listed
    ├── TrainingError          422  the data cannot be learned from
    ├── SettingsError          500  a setting is missing, malformed or unsafe
    ├── ModelError             503  no usable model in the store
    └── DatabaseError          503  the database is out of reach or not at head

The status is what an HTTP caller receives when the error reaches the edge; the command line
prints the message and exits with 1. Messages say what is wrong and what to do, and never hold
an employee's values or a credential.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ChurnError(Exception):
    """Base of all: carries a message for a person and the HTTP status of its kind."""

    status = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in an extract: where it is and what was expected there."""

    file: str
    line: int | None
    column: str | None
    value: str | None
    expected: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        column = f" {self.column}" if self.column else ""
        found = f" = {self.value!r}" if self.value is not None else ""
        return f"{where}:{column}{found}: {self.expected}"


class ExtractError(ChurnError):
    """The extracts cannot be used; `problems` lists why (up to 50), `total` counts them all."""

    status = 422

    def __init__(self, problems: Sequence[Problem], total: int | None = None) -> None:
        self.problems = tuple(problems)
        self.total = len(self.problems) if total is None else total
        more = self.total - len(self.problems)
        lines = [f"{self.total} problem{'s' * (self.total != 1)} in the extracts:"]
        lines += [f"  {problem}" for problem in self.problems]
        lines += [f"  … and {more} more"] * (more > 0)
        super().__init__("\n".join(lines))


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
