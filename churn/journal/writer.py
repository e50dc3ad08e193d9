"""The writer: puts entries into the database, many in one transaction, and seals them."""

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection, select
from sqlalchemy.exc import SQLAlchemyError

from churn.core.errors import DatabaseError
from churn.core.ids import new_id
from churn.database import schema
from churn.database.driver_errors import DRIVERS, discreet
from churn.database.engine import name_of
from churn.database.postgres_connection import PostgresConnection
from churn.database.schema import explained, explanation
from churn.database.session import with_patience
from churn.database.tables import journal_batches, requests
from churn.journal.bulk_insert import commit, write_rows
from churn.journal.call import Call
from churn.journal.disk_space import reserve
from churn.journal.entry import Entry, entry_of
from churn.journal.hash_chain import GENESIS, Link
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored

ROOM = 2**20  # bytes that have to be free on SQLite's disk
LARGE = 100_000  # bytes of digests: of a thousand employees


class Writer:
    """Commits entries, one transaction per call of `write`, each a link in this writer's own chain.

    It is safe for several threads: one at a time writes. It keeps a connection of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_embedded = engine.dialect.name == "sqlite"  # the database works in this process
        self._lock = threading.Lock()
        self._line: PoolProxiedConnection | None = None
        self._chain: uuid.UUID | None = None
        self._sequence = 0
        self._previous = GENESIS

    def write(
        self,
        entries: Sequence[Entry],
        *,
        replayed: bool = False,
        also: Callable[[Connection], Any] | None = None,
    ) -> None:
        """Commit entries, all or none; durable on return.

        `replayed` entries may be there already, from a commit whose outcome was not known: those are skipped,
        and the statements may take as long as they need. `also` works in the same transaction.

        Raises:
            DatabaseError: they could not be committed, or it is not known whether they were.
        """
        with self._lock:
            try:
                if also is not None or replayed or self._chain is None:
                    self._write_with(entries, also, replayed=replayed)
                elif entries:
                    self._write_alone(self._chain, entries)
                if self.is_embedded and sum([len(entry.leaves) for entry in entries]) > LARGE:
                    self._disconnect()  # else its statements keep the values in memory
            except BaseException as error:
                # It is not known whether the batch was committed: the next one starts a new chain.
                self._chain = None
                self._disconnect()
                if isinstance(error, SQLAlchemyError):
                    raise explanation(self._engine, error) from error
                raise

    def _write_with(
        self, entries: Sequence[Entry], also: Callable[[Connection], Any] | None, *, replayed: bool
    ) -> None:
        """Write in a transaction with other statements."""
        with (with_patience(self._engine) if replayed else self._engine).begin() as connection:
            if also is not None:
                also(connection)
            if replayed:
                entries = _missing(connection, entries)
            if entries:
                chain = self._chain or self._begin_chain(connection)
                self._write_rows(connection.connection, chain, entries)

    def _write_alone(self, chain: uuid.UUID, entries: Sequence[Entry]) -> None:
        """Write on the writer's own connection, and nothing else."""
        if self._line is None:
            self._line = _connect(self._engine)
        self._write_rows(self._line, chain, entries)
        if self.is_embedded:  # else the one message was committed
            commit(self._line)

    def _write_rows(self, line: PoolProxiedConnection, chain: uuid.UUID, entries: Sequence[Entry]) -> None:
        entries = sorted(entries, key=_id)
        leaves = b"".join([entry.leaves for entry in entries])
        batch = Link(new_id(), chain, self._sequence, self._previous, leaves)
        write_rows(line, entries, batch)
        self._sequence, self._previous = batch.sequence + 1, batch.digest

    def _begin_chain(self, connection: Connection) -> uuid.UUID:
        self._chain, self._sequence = new_id(), 0
        newest = select(journal_batches.c.digest).order_by(journal_batches.c.id.desc()).limit(1)
        self._previous = connection.execute(newest).scalar() or GENESIS
        return self._chain

    def close(self) -> None:
        """Close the connection; a later write opens a new one."""
        with self._lock:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._line is not None:
            self._line.invalidate()
            self._line.close()
            self._line = None


def probe(engine: Engine) -> None:
    """Return if the database answers, is at head and takes rows.

    Raises:
        DatabaseError: it does not.
    """
    schema.check(engine)
    rehearse(engine)


def rehearse(engine: Engine) -> None:
    """Write the rows of a prediction and roll back; raises DatabaseError where that fails."""
    now = datetime.now(UTC)
    scored = Scored(new_id(), {}, {}, 0.0, {}, "", 0, 0.0, 0.0)
    entry = entry_of(Call(new_id(), now, "", "", Caller(), now, 0, 0.0, None, [scored]))
    with explained(engine), closing(_raw_connection(engine)) as line:
        write_rows(line, [entry], Link(new_id(), new_id(), 0, GENESIS, entry.leaves))
        line.rollback()
    if engine.dialect.name == "sqlite":
        _reserve(engine)


def _reserve(engine: Engine) -> None:
    """Check that SQLite's disk has room, which a rollback does not show."""
    try:
        reserve(Path(str(engine.url.database)).parent, ROOM)
    except OSError as error:
        reason = f"has no room on its disk ({error.strerror}): make some"
        raise DatabaseError(f"the database {name_of(engine)} {reason}") from error


def _connect(engine: Engine) -> PoolProxiedConnection:
    """Return a connection on which each `write_rows` is one transaction."""
    line = _raw_connection(engine)
    if isinstance(line.dbapi_connection, PostgresConnection):
        # It is one message, which PostgreSQL commits or refuses as a whole: no round trips for BEGIN and
        # COMMIT.
        line.dbapi_connection.autocommit = True
    return line


def _raw_connection(engine: Engine) -> PoolProxiedConnection:
    """Return a connection of the pool's; SQLAlchemy would let the driver's own error out."""
    try:
        return engine.raw_connection()
    except DRIVERS as error:
        raise discreet(error, "(a connection)") from error


def _missing(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries whose requests are not in the database."""
    keys = [uuid.UUID(entry.id) for entry in entries]
    query = select(requests.c.id).where(requests.c.id.in_(keys))
    stored = {key.hex for key in connection.execute(query).scalars()}
    return [entry for entry in entries if entry.id not in stored]


def _id(entry: Entry) -> str:
    return entry.id
