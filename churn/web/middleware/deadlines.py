"""Deadlines: what takes too long is ended, by one timer for all calls."""

import asyncio
from collections.abc import Awaitable
from typing import cast

from churn.core.errors import TookTooLongError


class Deadlines:
    """Ends what takes too long; of one object, all have the same time.

    As `asyncio.timeout` does, whose timer for each call costs as much as the validation of its body.
    """

    def __init__(self) -> None:
        self._ends: dict[asyncio.Task[object], float] = {}  # by the loop's clock, the nearest first
        self._over: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None  # while there is something to end

    async def keep(self, work: Awaitable[None], seconds: float) -> None:
        """Await some work of this task's, one at a time, for so many seconds.

        Raises:
            TookTooLongError: it took too long.
        """
        loop, task = asyncio.get_running_loop(), cast("asyncio.Task[object]", asyncio.current_task())
        end = self._ends[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_at(end, self._look, loop)
        try:
            await work
        except asyncio.CancelledError:
            if task in self._over and not task.uncancel():
                raise TookTooLongError("no answer in time") from None
            raise  # somebody else ends it
        finally:
            self._ends.pop(task, None)
            self._over.discard(task)
            if not self._ends:
                self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is over, and come again when the next would be."""
        self._timer = None
        for task, end in list(self._ends.items()):
            if end > loop.time():
                self._timer = loop.call_at(end, self._look, loop)
                return
            del self._ends[task]
            self._over.add(task)
            task.cancel()
