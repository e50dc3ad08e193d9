"""The journal: calls hand in their entries and wait together for one commit.

One thread a process commits what has gathered in one transaction and then wakes all who wait for it: no
request and no event loop ever blocks on the database.
"""

import asyncio
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from churn.core.errors import ChurnError, DatabaseError, JournalFullError
from churn.journal.call import Call
from churn.journal.entry import Entry, Pseudonym, entry_of
from churn.journal.flood_counter import FloodCounter
from churn.journal.spool_folder import SpoolState
from churn.journal.store import Store

CAPACITY = 50_000  # rows that may wait: past it, callers are asked to come again
TRANSACTION = 2_000  # rows that one transaction may have, but for a single larger call
COUNTING = 10.0  # seconds for which refused logins are counted before the count is stored
PAUSE = 0.25  # seconds between two rounds of catching up, when no calls come


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry: Entry
    weight: int
    future: asyncio.Future[None] | None  # None where nobody waits


@dataclass(frozen=True, slots=True)
class JournalState:
    """How the journal is: rows that wait for their commit, and what is spooled."""

    waiting: int
    database_away: bool
    spool: SpoolState | None


class Journal:
    """Logs calls; what `record` returned from is durable.

    `pseudonym` turns an employee's id into what is stored of it.
    """

    def __init__(self, store: Store, pseudonym: Pseudonym | None = None) -> None:
        self._store = store
        self._pseudonym = pseudonym
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._floods = FloodCounter()
        self._gathering: list[_Waiting] = []  # from calls of the event loop's present round
        self._weight = 0  # of all who wait; only the event loop's thread touches it
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to write, to the database or the spool."""
        self._store.open()
        self._thread.start()

    def close(self) -> None:
        """Write what waits, and end."""
        self._write_tally()
        self._hand_over_gathered()
        self._queue.put(None)
        self._thread.join()
        self._store.close()

    def check(self) -> JournalState:
        """Make sure that a call could be recorded now, and return how the journal is; may read files.

        Raises:
            DatabaseError: it could not.
        """
        if not self._thread.is_alive():
            raise DatabaseError("the journal has stopped: restart the service")
        return JournalState(self._weight, not self._store.check(), self._store.spool_state())

    def state(self) -> JournalState:
        """Return how the journal is; may read files."""
        return JournalState(self._weight, self._store.away is not None, self._store.spool_state())

    async def record(self, call: Call) -> None:
        """Log one call without blocking the event loop; durable on return.

        Raises:
            JournalFullError: too many wait already.
            DatabaseError, SpoolError: it could not be kept; nothing of it is stored.
        """
        if self._count(call):
            return
        weight = 1 + len(call.scored)
        if self._weight and self._weight + weight > CAPACITY:
            raise JournalFullError
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._weight += weight
        try:
            self._hand_over(_Waiting(entry_of(call, self._pseudonym), weight, future))
            await future
        finally:
            self._weight -= weight

    def _hand_over(self, one: _Waiting) -> None:
        """Hand one call to the thread: at once, or with the others of this round of the event loop.

        A database that works in another process may begin with the first while the others come. SQLite
        works in this one, and what it takes for a commit is nearly the same for one call and for ten.
        """
        if not self._store.is_embedded:
            self._queue.put(one)
            return
        if not self._gathering:
            asyncio.get_running_loop().call_soon(self._hand_over_gathered)
        self._gathering.append(one)

    def _hand_over_gathered(self) -> None:
        for one in self._gathering:
            self._queue.put(one)
        self._gathering.clear()

    def _count(self, call: Call) -> bool:
        """Return whether a refused login is only counted; the count is stored a little later."""
        was_empty = self._floods.is_empty
        counted = self._floods.takes(call)
        if counted and was_empty:
            asyncio.get_running_loop().call_later(COUNTING, self._write_tally)
        return counted

    def _write_tally(self) -> None:
        for call in self._floods.summaries():
            self._queue.put(_Waiting(entry_of(call, self._pseudonym), 1, None))

    def _run(self) -> None:
        for waiting in self._gathered():
            if waiting:
                _wake(waiting, self._store.keep([one.entry for one in waiting]))
                waiting.clear()  # until others come, it would be kept
            self._store.catch_up()

    def _gathered(self) -> Iterator[list[_Waiting]]:
        """Yield what waits, a transaction's worth at a time, until the journal is closed."""
        while True:
            found: list[_Waiting] = []
            weight, patience = 0, self._patience()
            try:
                while weight < TRANSACTION:
                    one = self._queue.get(timeout=0.0 if found else patience)
                    if one is None:
                        yield found
                        return
                    found.append(one)
                    weight += one.weight
            except queue.Empty:
                pass
            yield found

    def _patience(self) -> float | None:
        """Return how long to wait for calls: not at all while there is something to catch up with."""
        if not self._store.is_behind:
            return None
        return PAUSE if self._store.away else 0.0


def _wake(waiting: Sequence[_Waiting], outcomes: Sequence[ChurnError | None]) -> None:
    """Tell those who wait how it went, all by one call to their event loop."""
    told = [(one.future, error) for one, error in zip(waiting, outcomes, strict=True) if one.future]

    def tell() -> None:
        for future, error in told:
            if future.done():  # who waited has gone
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    if told:
        told[0][0].get_loop().call_soon_threadsafe(tell)
