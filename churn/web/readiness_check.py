"""The check of readiness: whether predictions can be made and journalled, found out once for all who ask."""

import asyncio
import time
from collections.abc import Callable

import anyio
import anyio.to_thread

from churn.journal.journal import JournalState

LIFETIME = 1.0  # seconds for which an answer is reused: anyone may ask, as often as they like


class ReadinessCheck:
    """Runs `check`, which raises a `ChurnError` where the service is not ready.

    It may read files, so it runs in a thread of its own, once for all who ask at the same time or within
    `LIFETIME` seconds.
    """

    def __init__(self, check: Callable[[], JournalState]) -> None:
        self._check = check
        self._thread = anyio.CapacityLimiter(1)
        self._task: asyncio.Task[JournalState] | None = None
        self._checked = 0.0

    def forget(self) -> None:
        """Forget the last result: it is from before this start."""
        self._task = None

    async def state(self) -> JournalState:
        """Return how the journal is; raises what the check raises."""
        task = self._task
        if task is None or (task.done() and time.monotonic() - self._checked >= LIFETIME):
            task = self._task = asyncio.create_task(self._run())
        # Shielded: a caller that goes away does not cancel the check for the others.
        return await asyncio.shield(task)

    async def _run(self) -> JournalState:
        try:
            return await anyio.to_thread.run_sync(self._check, limiter=self._thread)
        finally:
            self._checked = time.monotonic()
