"""Hashing: passwords are checked a few at a time, in a fair order, and after all else that needs a core."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from churn.access.passwords import matches
from churn.access.throttle import Lately
from churn.core.errors import TooManyRequestsError


def cores() -> int:
    """Return how many cores this process may use: in a container, fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


MOST_WAITING = 32  # passwords that wait for their turn: some ten seconds of one core
AT_ONCE = max(1, cores() // 2)  # the others are for those who are known
_LOW = 5  # priority: a quarter of a core, where another thread wants it


@dataclass(order=True, slots=True)
class _Waiting:
    rank: int
    number: int
    turn: asyncio.Future[None] = field(compare=False)


class Hashing:
    """Checks passwords in threads of its own; each check keeps a core busy for a quarter of a second.

    First for the address that asked the fewest times lately without success, and of equals for who came last:
    who floods waits behind all others, and is refused where too many wait.
    """

    def __init__(self) -> None:
        self._free = AT_ONCE
        self._waiting: list[_Waiting] = []
        self._numbers = count(0, -1)  # the smallest is the last that came
        self._asked = Lately()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="hashing", initializer=_step_back)

    def matches(self, password: str, stored: str) -> bool:
        """Return whether a password is the one that was hashed; blocks for a quarter of a second."""
        return self._threads.submit(matches, password, stored).result()

    @asynccontextmanager
    async def turn(self, address: str | None) -> AsyncIterator[None]:
        """Wait for an address's turn, and have it; None is for who signed in before, and comes first.

        Raises:
            TooManyRequestsError: too many wait who come before.
        """
        await self._await_turn(0 if address is None else self._asked.note(address))
        try:
            yield
        finally:
            self._next()

    def forgive(self, address: str) -> None:
        """Forget how often an address asked: it was right."""
        self._asked.forget(address)

    async def _await_turn(self, rank: int) -> None:
        if self._free:
            self._free -= 1
            return
        one = _Waiting(rank, next(self._numbers), asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if len(self._waiting) > MOST_WAITING:
            last = max(self._waiting)
            self._waiting.remove(last)
            last.turn.set_exception(TooManyRequestsError(1.0))
        try:
            await one.turn
        except asyncio.CancelledError:
            if one in self._waiting:
                self._waiting.remove(one)
            elif one.turn.done() and not one.turn.cancelled():
                self._next()  # the turn came, and is not taken
            raise

    def _next(self) -> None:
        """Let go of a turn: it is for the first of those who wait."""
        if not self._waiting:
            self._free += 1
            return
        first = min(self._waiting)
        self._waiting.remove(first)
        if first.turn.cancelled():
            self._next()
        else:
            first.turn.set_result(None)


def _step_back() -> None:
    """Have the system run this thread after all others, where threads have priorities: on Linux."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOW)
