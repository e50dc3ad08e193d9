"""The folder of jobs, which all workers share: one folder a job, with its state, upload and results."""

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from churn.core.atomic_file import replacing, sync
from churn.core.errors import NotFoundError
from churn.jobs.job import UNDER_WAY, Job, load

STATE, UPLOAD, RESULTS = "state.json", "upload", "results"
KEPT = 3600.0  # seconds for which a job is kept after it was uploaded, checked, or has ended
UNFINISHED = 900.0  # seconds after which an upload that has not become a job is that of a dead worker
_COMING = ".part"  # after the name of a folder whose upload is not whole


class JobFolder:
    """The jobs on this machine's disk; only its owner may read them.

    A job is changed under a lock, and its state is replaced as a whole: whoever reads sees one or the other.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Make the folder where there is none."""
        if not self.root.is_dir():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, job: uuid.UUID) -> Path:
        """Return the folder of a job."""
        return self.root / str(job)

    def upload(self, job: uuid.UUID) -> Path:
        """Return the folder of a job's files as they came."""
        return self.path(job) / UPLOAD

    def results(self, job: uuid.UUID) -> Path:
        """Return the folder of what a job has made."""
        return self.path(job) / RESULTS

    def begin(self, job: Job) -> Path:
        """Make a place for a job whose files are still to come, and return the folder for them."""
        folder = self._coming(job.id)
        (folder / UPLOAD).mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
        _write(folder, job)
        return folder / UPLOAD

    def submit(self, job: uuid.UUID) -> None:
        """Make a job of files that are whole now; durable on return."""
        folder = self._coming(job)
        for path in (folder / UPLOAD).iterdir():
            sync(path)
        sync(folder / UPLOAD)
        sync(folder)
        folder.rename(self.path(job))
        sync(self.root)

    def abandon(self, job: uuid.UUID) -> None:
        """Remove what has come of a job that is none."""
        shutil.rmtree(self._coming(job), ignore_errors=True)

    def remove(self, job: uuid.UUID) -> None:
        """Remove all of a job."""
        shutil.rmtree(self.path(job), ignore_errors=True)

    def forget(self, job: uuid.UUID, *parts: str) -> None:
        """Remove the files of a job that nobody needs any more."""
        for part in parts:
            shutil.rmtree(self.path(job) / part, ignore_errors=True)

    def read(self, job: uuid.UUID) -> Job:
        """Return a job; raises NotFoundError where there is none, or none any more."""
        found = _read(self.path(job))
        if _is_past(found):
            raise NotFoundError
        return found

    @contextmanager
    def changing(self, job: uuid.UUID) -> Iterator[Job]:
        """Yield a job to be changed; nobody else changes one meanwhile, and what it becomes is durable.

        Raises:
            NotFoundError: there is no such job.
        """
        with self.locked():
            changed = self.read(job)
            before = changed.dump()
            yield changed
            if changed.dump() != before:
                _write(self.path(job), changed)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else change any job meanwhile."""
        with _open_lock(self.root / ".changing") as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield

    @contextmanager
    def working(self) -> Iterator[int | None]:
        """Yield the turn to work on jobs, or None where somebody has it.

        It is a descriptor: a process that inherits it has the turn, too. The system ends the turn with the
        last of them.
        """
        with _open_lock(self.root / ".working") as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield descriptor

    def jobs(self, *, coming: bool = False) -> list[Job]:
        """Return the jobs, the oldest first; those whose files are `coming`, too."""
        jobs = []
        for path in self._folders():
            if coming or path.suffix != _COMING:
                with suppress(NotFoundError):
                    jobs.append(_read(path))
        return sorted((job for job in jobs if not _is_past(job)), key=lambda job: job.created_at)

    def waiting(self) -> Job | None:
        """Return the job that is to be worked on next: the oldest that is not at its end."""
        return next((job for job in self.jobs() if job.state in UNDER_WAY), None)

    def size(self, job: uuid.UUID | None = None) -> int:
        """Return how many bytes the files of a job, or of all, take; what disappears meanwhile takes none."""
        return sum(map(_size, self._folders() if job is None else (self.path(job), self._coming(job))))

    def sweep(self) -> None:
        """Remove what is past its time."""
        for path in self._folders():
            with suppress(OSError):
                limit = UNFINISHED if path.suffix == _COMING else KEPT
                if time.time() - _last_use(path) > limit:
                    shutil.rmtree(path)

    def _coming(self, job: uuid.UUID) -> Path:
        return self.root / f"{job}{_COMING}"

    def _folders(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return [path for path in self.root.iterdir() if not path.name.startswith(".")]
        return []


def _is_past(job: Job) -> bool:
    return time.time() - job.changed_at.timestamp() > KEPT


def _last_use(path: Path) -> float:
    """Return when a job entered its state; when a folder without one was changed."""
    with suppress(NotFoundError):
        return _read(path).changed_at.timestamp()
    return path.stat().st_mtime


def _read(folder: Path) -> Job:
    try:
        return load((folder / STATE).read_bytes())
    except (OSError, ValueError) as error:
        raise NotFoundError from error


def _write(folder: Path, job: Job) -> None:
    with replacing(folder / STATE) as part:
        part.chmod(0o600)
        part.write_bytes(job.dump())


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


@contextmanager
def _open_lock(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
