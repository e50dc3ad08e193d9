"""The jobs as those who serve see them: made, looked at, scored, cancelled. Only whose they are may do so."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from churn.core.errors import ConflictError, NotFoundError, RoomError, TooManyRequestsError
from churn.core.ids import new_id
from churn.core.language import Language
from churn.jobs.job import ENDED, UNDER_WAY, Decimal, Job, Owner
from churn.jobs.job_folder import JobFolder
from churn.jobs.upload import MAX_BYTES, Upload
from churn.model.registry import ServedModel
from churn.schemas.caller import Caller

GIB: Final = 1024**3
MAX_UNDER_WAY: Final = 4  # jobs of one caller that are not at their end
MAX_JOBS: Final = 20  # that are kept of one caller
MAX_ALL: Final = 200
MAX_KEPT: Final = 2 * GIB  # bytes that one caller's jobs may take
MAX_ALL_KEPT: Final = 8 * GIB
MIN_FREE: Final = GIB  # bytes of the disk that jobs leave to others
WAIT: Final = 30.0  # seconds until it is worth trying again


class Jobs:
    """The jobs of everybody, for one model. `wake` has somebody look for work, and returns at once.

    All of this reads and writes files, so it is to be called off the event loop.
    """

    def __init__(self, folder: JobFolder, model: ServedModel, wake: Callable[[], None]) -> None:
        self.folder = folder
        self._model = model
        self._wake = wake

    def begin(
        self, caller: Caller, language: Language, *, only_check: bool, decimal: Decimal | None = None
    ) -> "Coming":
        """Return a job whose files are to come; `decimal` is what parts decimals where they do not show it.

        Raises:
            TooManyRequestsError: the caller has too many jobs, or they take too much of the disk.
            ModelError: the model failed its self-test.
            RoomError: all jobs take too much of it, or it is full.
        """
        self._model.self_test.require(self._model.tag)
        job = Job(new_id(), caller, language, self._model.tag, only_check, datetime.now(UTC), decimal)
        self.folder.make()
        self.folder.sweep()
        with self.folder.locked():
            self._check_room(job.owner)
            files = self.folder.begin(job)
        return Coming(self, job, Upload(files, self._model.dictionary))

    def submit(self, coming: "Coming") -> Job:
        """Make a job of files that have come, have it worked on, and return it.

        Raises:
            InvalidInputError: they are none that could be read.
        """
        coming.upload.finish()
        self.folder.submit(coming.job.id)
        self._wake()
        return coming.job

    def find(self, caller: Caller, job: uuid.UUID) -> Job:
        """Return a job of a caller's; where it has not ended, have somebody see whether it is worked on.

        Raises:
            NotFoundError: there is no such job, or it is somebody else's.
        """
        found = self.folder.read(job)
        _check_owner(found, caller)
        if found.state in UNDER_WAY:
            self._wake()
        return found

    def score(self, caller: Caller, job: uuid.UUID) -> Job:
        """Have a job scored that was only checked, and return it.

        Raises:
            NotFoundError: as `find`.
            ConflictError: it was not checked, or is scored already.
        """
        with self._changing(caller, job) as changed:
            if changed.state != "checked":
                raise ConflictError("job_not_checked")
            changed.only_check, changed.attempts, changed.progress = False, 0, 0.0
            changed.move("waiting")
        self._wake()
        return changed

    def cancel(self, caller: Caller, job: uuid.UUID) -> Job:
        """Cancel a job and return it; one that is worked on ends a little later, one that has ended stays so.

        Raises:
            NotFoundError: as `find`.
        """
        with self._changing(caller, job) as changed:
            if changed.state not in ENDED:
                changed.is_cancelled = True
            if changed.state in ("waiting", "checked"):
                changed.move("cancelled")
        return changed

    def own(self, caller: Caller) -> list[Job]:
        """Return a caller's jobs, the newest first."""
        return [job for job in reversed(self.folder.jobs()) if job.owner == Owner.of(caller)]

    def forget(self, caller: Caller) -> None:
        """Remove what a caller's jobs have taken in and made; those that are worked on are cancelled."""
        for job in self.own(caller):
            with suppress(NotFoundError):
                if self.cancel(caller, job.id).state in ENDED:
                    self.folder.remove(job.id)

    def results(self, caller: Caller, job: uuid.UUID) -> Path:
        """Return the folder with what a job has made.

        Raises:
            NotFoundError: as `find`.
            ConflictError: it is not done.
        """
        if self.find(caller, job).state != "done":
            raise ConflictError("job_not_done")
        return self.folder.results(job)

    @contextmanager
    def _changing(self, caller: Caller, job: uuid.UUID) -> Iterator[Job]:
        _check_owner(self.folder.read(job), caller)
        with self.folder.changing(job) as changed:
            yield changed

    def _check_room(self, owner: Owner) -> None:
        everybody = self.folder.jobs(coming=True)
        own = [job for job in everybody if job.owner == owner]
        if (
            len(own) >= MAX_JOBS
            or sum(job.state in UNDER_WAY for job in own) >= MAX_UNDER_WAY
            or sum(self.folder.size(job.id) for job in own) + MAX_BYTES > MAX_KEPT
        ):
            raise TooManyRequestsError(WAIT)
        if (
            len(everybody) >= MAX_ALL
            or self.folder.size() + MAX_BYTES > MAX_ALL_KEPT
            or shutil.disk_usage(self.folder.root).free < MIN_FREE
        ):
            raise RoomError("the files of other jobs take all the room that is for them")


class Coming:
    """A job whose files are still to come; nothing of it is left where it is not submitted."""

    def __init__(self, jobs: Jobs, job: Job, upload: Upload) -> None:
        self._jobs = jobs
        self.job, self.upload = job, upload

    def submit(self) -> Job:
        """As `Jobs.submit`."""
        return self._jobs.submit(self)

    def abandon(self) -> None:
        """Remove what has come, where it has not been submitted."""
        self.upload.end()
        self._jobs.folder.abandon(self.job.id)


def _check_owner(job: Job, caller: Caller) -> None:
    if job.owner != Owner.of(caller):
        raise NotFoundError
