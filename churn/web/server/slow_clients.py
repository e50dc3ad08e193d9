"""Slow clients: the connections whose request is not whole, so that slow ones keep nobody out."""

import asyncio
from typing import Protocol

MAX_SECONDS = 10.0  # until a head is whole, and for every further `MAX_SECONDS * MIN_RATE` bytes of a body
MIN_RATE = 1024  # bytes a second that a body must bring
MAX_WAITING = 1000  # connections; what behaves waits some milliseconds


class Connection(Protocol):
    """What is asked of a connection that waits, and told to it."""

    @property
    def is_welcome(self) -> bool:
        """Whether it is for a body by somebody known, and others are to make room first."""

    def be_late(self) -> None:
        """Do what is to be done when the time is over: end, or begin anew."""

    def make_room(self) -> None:
        """Close at once, for one that came later."""


class SlowClients:
    """Ends what waits longer than `seconds`, and what has waited longest where more than `at_most` wait.

    Who brings a body and may do so is the last to make room, but for the one that has just come.
    By one timer for all, which is left to run out: there is none to make and to cancel for each request.
    """

    def __init__(
        self, seconds: float = MAX_SECONDS, rate: float = MIN_RATE, at_most: int = MAX_WAITING
    ) -> None:
        self.share = seconds * rate  # bytes of a body that are enough to begin anew
        self._seconds, self._at_most = seconds, at_most
        self._ends: dict[Connection, float] = {}  # by the loop's clock, the nearest first
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, connection: Connection) -> None:
        """Let one wait, from now on."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        self._ends.pop(connection, None)  # to stand behind the others
        self._ends[connection] = end
        if self._timer is None:
            self._timer = loop.call_at(end, self._look, loop)
        if len(self._ends) > self._at_most:
            strangers = (other for other in self._ends if other is not connection and not other.is_welcome)
            longest = next(strangers, next(iter(self._ends)))
            del self._ends[longest]
            longest.make_room()

    def end(self, connection: Connection) -> None:
        """Let one go, whether it waits or not."""
        self._ends.pop(connection, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those that are late, and come again when the next would be."""
        now = loop.time()
        late = [connection for connection, end in self._ends.items() if end <= now]
        for connection in late:
            self._ends.pop(connection, None)
            connection.be_late()
        ends = next(iter(self._ends.values()), None)
        self._timer = None if ends is None else loop.call_at(ends, self._look, loop)
