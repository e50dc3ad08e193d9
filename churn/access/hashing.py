"""Hashing: passwords are checked a few at a time, in a fair order, at a low priority."""

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
from churn.access.throttle import RecentCounter
from churn.core.errors import TooManyRequestsError


def cores() -> int:
    """Return how many cores this process may use: in a container, fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


MOST_WAITING = 32  # passwords that wait for their turn: some ten seconds of one core
THREADS = max(1, cores() // 2)  # the other cores serve callers who are known already
_NICE = 5  # a quarter of a core, where another thread wants it


@dataclass(order=True, slots=True)
class _Waiting:
    rank: int
    number: int
    turn: asyncio.Future[None] = field(compare=False)


class Hashing:
    """Checks passwords in its own threads; each check keeps a core busy for a quarter of a second.

    The next turn goes to the address with the fewest recent failures, and among equals to the newest caller.
    So a flood waits behind everybody else, and its attempts are refused where too many wait.
    """

    def __init__(self) -> None:
        self._free = THREADS
        self._waiting: list[_Waiting] = []
        self._numbers = count(0, -1)  # the smallest is the newest
        self._attempts = RecentCounter()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_lower_priority)

    def matches(self, password: str, stored: str) -> bool:
        """Return whether a password is the one that was hashed; blocks for a quarter of a second."""
        return self._threads.submit(matches, password, stored).result()

    @asynccontextmanager
    async def turn(self, address: str | None) -> AsyncIterator[None]:
        """Wait for the turn of an address, and hold it; None, for who signed in before, comes first.

        Raises:
            TooManyRequestsError: too many callers come first.
        """
        await self._await_turn(0 if address is None else self._attempts.add(address))
        try:
            yield
        finally:
            self._next()

    def forgive(self, address: str) -> None:
        """Forget the attempts from an address, since one succeeded."""
        self._attempts.reset(address)

    async def _await_turn(self, rank: int) -> None:
        if self._free:
            self._free -= 1
            return
        waiting = _Waiting(rank, next(self._numbers), asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._waiting) > MOST_WAITING:
            last = max(self._waiting)
            self._waiting.remove(last)
            last.turn.set_exception(TooManyRequestsError(1.0))
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif waiting.turn.done() and not waiting.turn.cancelled():
                self._next()  # the turn came, but nobody takes it
            raise

    def _next(self) -> None:
        """End a turn, and give it to the first that waits."""
        if not self._waiting:
            self._free += 1
            return
        first = min(self._waiting)
        self._waiting.remove(first)
        if first.turn.cancelled():
            self._next()
        else:
            first.turn.set_result(None)


def _lower_priority() -> None:
    """Have the system run this thread after all others; only Linux gives threads their own priorities."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
