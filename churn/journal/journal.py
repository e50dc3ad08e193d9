"""The journal: calls hand in their entries and wait together for one commit.

One thread per process commits the entries that have gathered, in one transaction, and then wakes all who wait
for it. No request and no event loop ever blocks on the database.
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

CAPACITY = 50_000  # rows that may wait; past it, callers are asked to try again later
TRANSACTION = 2_000  # rows in one transaction, unless a single call has more
COUNTING = 10.0  # seconds for which refused sign-ins are counted before the count is stored
PAUSE = 0.25  # seconds between two rounds of catching up, when no calls come


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry: Entry
    weight: int
    future: asyncio.Future[None] | None  # None where nobody waits


@dataclass(frozen=True, slots=True)
class JournalState:
    """The state of the journal: how many rows wait for their commit, and how full the spool is."""

    waiting: int
    database_away: bool
    spool: SpoolState | None


class Journal:
    """Logs calls; a call is durable once `record` returns.

    `pseudonym` turns an employee's id into the one that is stored.
    """

    def __init__(self, store: Store, pseudonym: Pseudonym | None = None) -> None:
        self._store = store
        self._pseudonym = pseudonym
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._floods = FloodCounter()
        self._gathering: list[_Waiting] = []  # calls of the event loop's current round
        self._weight = 0  # of all waiting calls; only the event loop's thread changes it
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        """Start to write, to the database or the spool."""
        self._store.open()
        self._thread.start()

    def close(self) -> None:
        """Write everything that waits, and stop."""
        self._write_counts()
        self._hand_over_gathered()
        self._queue.put(None)
        self._thread.join()
        self._store.close()

    def check(self) -> JournalState:
        """Make sure that a call could be recorded now, and return the journal's state; may read files.

        Raises:
            DatabaseError: it could not.
        """
        if not self._thread.is_alive():
            raise DatabaseError("the journal has stopped: restart the service")
        return JournalState(self._weight, not self._store.check(), self._store.spool_state())

    def state(self) -> JournalState:
        """Return the journal's state; may read files."""
        return JournalState(self._weight, self._store.away is not None, self._store.spool_state())

    async def record(self, call: Call) -> None:
        """Log one call without blocking the event loop; durable on return.

        Raises:
            JournalFullError: too many calls wait already.
            DatabaseError, SpoolError: it could not be kept, and nothing of it is stored.
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

    def _hand_over(self, waiting: _Waiting) -> None:
        """Hand a call to the thread: at once, or together with the others of this round of the event loop.

        A database in another process can start on the first call while others arrive. SQLite works in this
        process, and its commit takes almost as long for one call as for ten.
        """
        if not self._store.is_embedded:
            self._queue.put(waiting)
            return
        if not self._gathering:
            asyncio.get_running_loop().call_soon(self._hand_over_gathered)
        self._gathering.append(waiting)

    def _hand_over_gathered(self) -> None:
        for waiting in self._gathering:
            self._queue.put(waiting)
        self._gathering.clear()

    def _count(self, call: Call) -> bool:
        """Return whether a refused call is only counted; the count is stored a little later."""
        was_empty = self._floods.is_empty
        is_counted = self._floods.counts(call)
        if is_counted and was_empty:
            asyncio.get_running_loop().call_later(COUNTING, self._write_counts)
        return is_counted

    def _write_counts(self) -> None:
        for call in self._floods.summaries():
            self._queue.put(_Waiting(entry_of(call, self._pseudonym), 1, None))

    def _run(self) -> None:
        for batch in self._batches():
            if batch:
                _wake(batch, self._store.keep([waiting.entry for waiting in batch]))
                batch.clear()  # else it stays in memory until the next one
            self._store.catch_up()

    def _batches(self) -> Iterator[list[_Waiting]]:
        """Yield waiting calls, a transaction's worth at a time, until the journal is closed."""
        while True:
            batch: list[_Waiting] = []
            weight, timeout = 0, self._timeout()
            try:
                while weight < TRANSACTION:
                    waiting = self._queue.get(timeout=0.0 if batch else timeout)
                    if waiting is None:
                        yield batch
                        return
                    batch.append(waiting)
                    weight += waiting.weight
            except queue.Empty:
                pass
            yield batch

    def _timeout(self) -> float | None:
        """Return how long to wait for calls: not at all while the database has to catch up with the spool."""
        if not self._store.is_behind:
            return None
        return PAUSE if self._store.away else 0.0


def _wake(batch: Sequence[_Waiting], outcomes: Sequence[ChurnError | None]) -> None:
    """Tell those who wait how it went, in one call to their event loop."""
    results = [
        (waiting.future, error) for waiting, error in zip(batch, outcomes, strict=True) if waiting.future
    ]

    def wake() -> None:
        for future, error in results:
            if future.done():  # the caller has gone
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    if results:
        results[0][0].get_loop().call_soon_threadsafe(wake)
