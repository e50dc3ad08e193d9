"""The runner: starts the process that works on jobs while there are any, in one worker after the other."""

import logging
import pickle
import subprocess
import threading
from contextlib import suppress
from typing import Self

from churn.core import python_process
from churn.core.settings import Settings
from churn.database.embedded import Identity
from churn.jobs.job_folder import JobFolder
from churn.jobs.jobs import Jobs
from churn.model.registry import ServedModel

logger = logging.getLogger("churn")

LOOK = 30.0  # seconds between two looks for jobs that another worker has left, and for what is past its time
PATIENCE = 10.0  # seconds that the process may take to end


class JobRunner:
    """Starts the process where there is work and nobody does it, and removes jobs that are past their time.

    All workers have one, with the `jobs` as the worker sees them; a lock on the disk lets one process work at
    a time. The process ends with its worker: it reads from a pipe that this worker holds. Another worker then
    starts the next.
    """

    def __init__(self, settings: Settings, model: ServedModel, identity: Identity) -> None:
        self._folder = JobFolder(settings.jobs)
        self.jobs = Jobs(self._folder, model, self.wake)
        self._start = settings, model, identity
        self._woken = threading.Event()
        self._is_closing = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    @classmethod
    def started(cls, settings: Settings, model: ServedModel, identity: Identity) -> Self:
        """Return a runner that looks for work from now on."""
        runner = cls(settings, model, identity)
        runner.wake()
        runner._thread.start()
        return runner

    def wake(self) -> None:
        """Look for work now."""
        self._woken.set()

    def close(self) -> None:
        """End the process, whose job another worker, or the next start, goes on with."""
        with self._lock:
            self._is_closing = True
            if self._process is not None:
                self._process.terminate()
        self._woken.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._is_closing:
            self._woken.wait(LOOK)
            self._woken.clear()
            try:
                self._folder.sweep()
                while self._has_work() and self._work():
                    pass
            except Exception as error:  # noqa: BLE001 - whatever it is: the next look may go better
                logger.error("jobs cannot be worked on: %s", type(error).__qualname__)

    def _has_work(self) -> bool:
        return not self._is_closing and self._folder.waiting() is not None

    def _work(self) -> bool:
        """Have a process work on jobs until there are no more; return whether it ended well.

        Not where another works: to start one takes seconds, only to find that out.
        """
        with self._folder.working() as turn, self._lock:
            if turn is None or self._is_closing:
                return False
            process = self._process = python_process.begin(
                "-m", "churn.jobs.job_process", stdin=subprocess.PIPE, pass_fds=[turn]
            )
        with process:
            with suppress(BrokenPipeError):
                assert process.stdin is not None  # noqa: S101 - it is a pipe
                pickle.dump((self._folder.root, *self._start), process.stdin)
                process.stdin.flush()
            status = process.wait()
        self._process = None
        if status and not self._is_closing:
            logger.error("the process for jobs has ended by itself (%d); another goes on", status)
        return status == 0
