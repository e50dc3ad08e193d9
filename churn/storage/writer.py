"""The writer: entries into the database, many in one transaction, sealed as they go."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from churn.errors import DatabaseError
from churn.storage.bulk import write_rows
from churn.storage.engine import name_of
from churn.storage.entries import Entry, entry_of
from churn.storage.exchanges import Caller, Exchange, Scored
from churn.storage.ids import new_id
from churn.storage.room import reserve
from churn.storage.schema import check, explained
from churn.storage.seals import GENESIS, Batch
from churn.storage.session import patient
from churn.storage.tables import journal_batches, requests

ROOM = 2**20  # bytes that SQLite's disk is to have free
LARGE = 100_000  # bytes of digests: of a thousand employees


class Writer:
    """Commits entries, one transaction a call, each a link in this writer's own chain.

    Safe to call from several threads: one at a time writes. It keeps a connection of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._chain: uuid.UUID | None = None
        self._sequence = 0
        self._previous = GENESIS

    @property
    def is_embedded(self) -> bool:
        """Whether the database works in this very process."""
        return self._engine.dialect.name == "sqlite"

    def write(
        self,
        entries: Sequence[Entry],
        *,
        replayed: bool = False,
        also: Callable[[Connection], Any] | None = None,
    ) -> None:
        """Commit entries, all or none; durable on return.

        `replayed` entries may be there already, from a commit whose outcome was not known: those are
        left alone, and the statements may take as long as they need. What `also` does with the connection is
        in the same transaction.

        Raises:
            DatabaseError: they could not be committed, or it is not known whether they were.
        """
        with self._lock:
            try:
                with explained(self._engine), self._transaction(also, replayed) as connection:
                    self._commit(connection, entries, replayed=replayed)
                if self.is_embedded and sum([len(entry.leaves) for entry in entries]) > LARGE:
                    self._disconnect()  # its statements would keep the values
            except BaseException:
                # Whether the batch was committed is not known: what follows builds on what is there.
                self._chain = None
                self._disconnect()
                raise

    @contextmanager
    def _transaction(self, also: Callable[[Connection], Any] | None, replayed: bool) -> Iterator[Connection]:
        """Yield a connection: the writer's own where all that is to be done is to write."""
        if also is not None or replayed or self._chain is None:
            with (patient(self._engine) if replayed else self._engine).begin() as connection:
                if also is not None:
                    also(connection)
                yield connection
            return
        if self._connection is None:
            self._connection = _connect(self._engine)
        with self._connection.begin():
            yield self._connection

    def _commit(self, connection: Connection, entries: Sequence[Entry], *, replayed: bool) -> None:
        if replayed:
            entries = _missing(connection, entries)
        if not entries:
            return
        batch = self._seal(connection, sorted(entries, key=_id))
        write_rows(connection, entries, batch)
        self._sequence, self._previous = batch.sequence + 1, batch.digest

    def _seal(self, connection: Connection, entries: Sequence[Entry]) -> Batch:
        if self._chain is None:
            self._chain, self._sequence = new_id(), 0
            newest = select(journal_batches.c.digest).order_by(journal_batches.c.id.desc()).limit(1)
            self._previous = connection.execute(newest).scalar() or GENESIS
        leaves = b"".join([entry.leaves for entry in entries])
        return Batch(new_id(), self._chain, self._sequence, self._previous, leaves)

    def close(self) -> None:
        """Let go of the connection; a later write takes a new one."""
        with self._lock:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def probe(engine: Engine) -> None:
    """Return where the database answers, is at head and takes rows.

    Raises:
        DatabaseError: it does not, or is not.
    """
    check(engine)
    rehearse(engine)


def rehearse(engine: Engine) -> None:
    """Write a prediction's rows and take them back: raises DatabaseError where that cannot be done."""
    now = datetime.now(UTC)
    scored = Scored(new_id(), {}, {}, 0.0, {}, "", 0, 0.0, 0.0)
    entry = entry_of(Exchange(new_id(), now, "", "", Caller(), now, 0, 0.0, None, [scored]))
    with explained(engine), engine.connect() as connection:
        write_rows(connection, [entry], Batch(new_id(), new_id(), 0, GENESIS, entry.leaves))
        connection.rollback()
    if engine.dialect.name == "sqlite":
        _reserve(engine)


def _reserve(engine: Engine) -> None:
    """See that SQLite's disk has room: what is rolled back needs none."""
    try:
        reserve(Path(str(engine.url.database)).parent, ROOM)
    except OSError as error:
        reason = f"has no room on its disk ({error.strerror}): make some"
        raise DatabaseError(f"the database {name_of(engine)} {reason}") from error


def _connect(engine: Engine) -> Connection:
    """Return a connection on which one `write_rows` is one transaction."""
    connection = engine.connect()
    if connection.dialect.name == "postgresql":
        # It is one message, which PostgreSQL commits or refuses whole: no round trips to begin and to end.
        return connection.execution_options(isolation_level="AUTOCOMMIT")
    return connection


def _missing(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries whose requests are not in the database."""
    keys = [uuid.UUID(entry.id) for entry in entries]
    found = {
        key.hex for key in connection.execute(select(requests.c.id).where(requests.c.id.in_(keys))).scalars()
    }
    return [entry for entry in entries if entry.id not in found]


def _id(entry: Entry) -> str:
    return entry.id
