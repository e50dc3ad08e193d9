"""The process that works on jobs, one after the other: `python -m churn.jobs.job_process`.

A worker starts it, and hands it the turn that one process of a machine has at a time. What it needs comes as
one pickle on its standard input; the end of that input is the end of the worker, and of this process.
"""

import logging
import os
import pickle
import resource
import signal
import sys
import threading
import uuid
from contextlib import suppress
from typing import Any

from churn.core.errors import NotFoundError
from churn.core.settings import Settings
from churn.database.embedded import Identity
from churn.jobs.job_folder import RESULTS, UPLOAD, JobFolder
from churn.jobs.work import Desk, OutOfTimeError, Work
from churn.model.registry import ServedModel

logger = logging.getLogger("churn")

NICE = 5  # calls come first, as with large batches
MAX_MEMORY = 3 * 1024**3  # bytes
MAX_SECONDS = 1800  # of a core, and of the clock, for one job
ATTEMPTS = 3  # of one job, whose process may have ended because of it


class EndedError(BaseException):
    """The worker ends this process, whatever it is at."""


def main() -> None:
    """Work on the jobs that wait, and end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the worker tells when to end
    sys.excepthook = _log_uncaught
    os.umask(0o077)
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    logging.basicConfig(format="%(asctime)s [%(levelname)s] [%(name)s] %(message)s")
    root, settings, model, identity = pickle.load(sys.stdin.buffer)  # noqa: S301 - the worker's own
    threading.Thread(target=_end_with_worker, name="worker-watch", daemon=True).start()
    _limit(resource.RLIMIT_DATA, MAX_MEMORY)
    _work(JobFolder(root), settings, model, identity)


def _work(folder: JobFolder, settings: Settings, model: ServedModel, identity: Identity) -> None:
    desk, job = Desk(folder, settings, model, identity), None
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGALRM, _too_long)
    try:
        while job := folder.waiting():
            if _is_begun(folder, job.id):
                _limit(resource.RLIMIT_CPU, int(sum(os.times()[:2])) + MAX_SECONDS)
                signal.alarm(MAX_SECONDS)
                Work(desk, job.id).do()
                signal.alarm(0)
    except EndedError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if job is not None:
            with suppress(NotFoundError), folder.changing(job.id) as changed:
                changed.attempts -= 1  # it was no fault of the job's
    finally:
        desk.close()


def _is_begun(folder: JobFolder, job: uuid.UUID) -> bool:
    """Count an attempt at a job; return whether it may be made."""
    with folder.changing(job) as changed:
        changed.attempts += 1
        if changed.attempts <= ATTEMPTS:
            return True
        changed.fail("ended")
    folder.forget(job, UPLOAD, RESULTS)
    return False


def _end_with_worker() -> None:
    """End this process when the worker has: nobody else holds the other end of the input."""
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), 1024):
            pass
    os._exit(0)


def _too_long(*_: Any) -> None:
    raise OutOfTimeError


def _ended(*_: Any) -> None:
    raise EndedError


def _log_uncaught(kind: type[BaseException], *_: Any) -> None:
    """Log an error without its text, which may have an employee's values."""
    logger.error("the process for jobs failed: %s", kind.__qualname__)


def _limit(kind: int, value: int) -> None:
    """Lower a limit of this process, as far as the system has it."""
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


if __name__ == "__main__":
    main()
