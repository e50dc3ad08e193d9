"""The store: entries go to the database, and to the spool while that is away."""

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError

from churn.core.errors import ChurnError, DatabaseError, SpoolError
from churn.journal.entry import Entry
from churn.journal.spool import Spool
from churn.journal.spool_folder import SpoolState
from churn.journal.writer import Writer

logger = logging.getLogger("churn")

RETRY = 1.0  # seconds between two probes of a database that is away
REPLAYED = 2000  # spooled entries that are replayed at a time: as many as may arrive meanwhile
TRIES = 5  # failures in a row of spooled entries, until they are to blame if the probe succeeds


def is_away(error: DatabaseError) -> bool:
    """Return whether the database did not answer, rather than refuse something."""
    return isinstance(error.__cause__, OperationalError | InterfaceError)


def _are_to_blame(error: DatabaseError) -> bool:
    """Return whether the database refused rows because of their content."""
    return isinstance(error.__cause__, DataError | IntegrityError)


class Store:
    """Keeps entries in their order: those that follow spooled ones are spooled after them.

    `probe` raises DatabaseError where the database cannot take rows (out of reach, not at head). Without a
    spool nothing is kept while it is away. Only one thread at a time may keep or catch up; any may probe.
    """

    def __init__(self, writer: Writer, probe: Callable[[], object], spool: Spool | None) -> None:
        self._writer = writer
        self._probe = probe
        self._spool = spool
        self._away: DatabaseError | None = None
        self._refused: ChurnError | None = None  # why the spool did not take the last entries
        self._failures = 0  # in a row, of putting spooled entries back
        self._closing = threading.Event()

    def open(self) -> None:
        """Probe the database; if it is away, log that and go on."""
        try:
            self._probe()
        except DatabaseError as error:
            self._mark_away(error)

    def close(self) -> None:
        """Close the connections and the spool."""
        self._closing.set()
        self._writer.close()
        if self._spool is not None:
            self._spool.close()

    @property
    def is_embedded(self) -> bool:
        """Whether the database works in this process."""
        return self._writer.is_embedded

    @property
    def away(self) -> DatabaseError | None:
        """Why the database takes no rows; None where it does."""
        return self._away

    @property
    def is_behind(self) -> bool:
        """Whether entries are spooled that the database does not have."""
        return self._spool is not None and self._spool.pending

    def spool_state(self) -> SpoolState | None:
        """Return how full the spool is; None where there is none."""
        return None if self._spool is None else self._spool.state()

    def check(self) -> bool:
        """Make sure that an entry could be kept and none waits too long; return whether the database works.

        Raises:
            DatabaseError, SpoolError: it could not.
        """
        away = self._away  # if it is, a thread probes it already
        if away is None:
            try:
                self._probe()
            except DatabaseError as error:
                away = error
        if self._spool is not None:
            self._spool.check(is_needed=away is not None)
        elif away is not None:
            raise away
        return away is None

    def keep(self, entries: Sequence[Entry]) -> Sequence[ChurnError | None]:
        """Keep entries, durable on return, and return for each one why it could not be kept, or None."""
        try:
            return self._keep(entries)
        except Exception as error:  # noqa: BLE001 - whatever it is: the journal goes on, and those who wait are told
            logger.error("the journal failed: %s", type(error).__qualname__)
            return [DatabaseError("the journal failed")] * len(entries)

    def catch_up(self) -> None:
        """Put some of the spooled entries into the database, if it is back."""
        try:
            if self.is_behind:
                self._catch_up()
        except Exception as error:  # noqa: BLE001 - as above
            logger.error("the journal failed to catch up: %s", type(error).__qualname__)

    def _keep(self, entries: Sequence[Entry]) -> Sequence[ChurnError | None]:
        if self._away is not None:
            return self._spool_entries(entries)
        if self.is_behind:
            outcomes = self._spool_entries(entries)
            if self._refused is None:
                return outcomes
            # The spool is full, but the database is back: out of order is better than never.
        try:
            self._writer.write(entries)
        except DatabaseError as error:
            if _are_to_blame(error):
                return self._one_by_one(entries, error)
            self._mark_away(error)
            return self._spool_entries(entries)
        self._refused = None
        return [None] * len(entries)

    def _catch_up(self) -> None:
        if self._away is not None or self._spool is None:
            return
        try:
            self._spool.replay(self._restore, REPLAYED)
            self._failures = 0
            if not self._spool.pending:
                logger.warning("the database has everything that was spooled while it was away")
        except DatabaseError as error:
            self._failures += 1
            self._mark_away(error)

    def _spool_entries(self, entries: Sequence[Entry]) -> Sequence[ChurnError | None]:
        if self._spool is None:
            return [self._away] * len(entries)
        try:
            self._spool.append(entries)
        except SpoolError as error:
            self._refused = error
        else:
            self._refused = None
        return [self._refused] * len(entries)

    def _one_by_one(self, entries: Sequence[Entry], error: DatabaseError) -> Sequence[ChurnError | None]:
        """Keep each entry by itself, so that only those that the database refuses are refused."""
        if len(entries) == 1:
            return [error]
        return [outcome for entry in entries for outcome in self._keep([entry])]

    def _restore(self, entries: Sequence[Entry]) -> None:
        """Write spooled entries; those that the database refuses are set aside."""
        try:
            self._writer.write(entries, replayed=True)
        except DatabaseError as error:
            if self._spool is None or not (_are_to_blame(error) or self._keep_failing()):
                raise
            if len(entries) == 1:
                self._spool.reject(entries[0])
                logger.error("a spooled call is set aside, since %s", error)
                return
            for entry in entries:
                self._restore([entry])

    def _keep_failing(self) -> bool:
        """Return whether entries fail again and again; raises DatabaseError where the probe fails too."""
        if self._failures + 1 < TRIES:
            return False
        self._probe()
        return True

    def _mark_away(self, error: DatabaseError) -> None:
        """Note that the database is away, and probe it in another thread, since a probe may take long."""
        self._away = error
        where = "nothing is answered" if self._spool is None else "the journal goes to the spool"
        logger.error("%s; until then %s", error, where)
        threading.Thread(target=self._await_return, name="journal-probe", daemon=True).start()

    def _await_return(self) -> None:
        while not self._closing.wait(RETRY):
            try:
                self._probe()
            except DatabaseError as error:
                self._away = error
            else:
                self._away = self._refused = None
                logger.warning("the database takes rows again")
                return
