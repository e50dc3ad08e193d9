"""One way to the database: the URL as people write it, made into a SQLAlchemy engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from churn.errors import SettingsError

_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg2")
CONNECT_TIMEOUT = 5  # seconds
STATEMENT_TIMEOUT = 10  # seconds
BUSY_TIMEOUT = 10  # seconds that SQLite waits for another writer


def parse_url(url: str) -> URL:
    """Return a database URL with its driver; `postgres://` and `postgresql://` mean psycopg2.

    Raises:
        SettingsError: the text is no URL, or of a database that is not supported.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Chained from nothing: SQLAlchemy's message repeats the URL, password included.
        raise SettingsError(
            "DATABASE_URL is not a URL: expected sqlite:///path/churn.db or postgresql://user:password@host/name"
        ) from None
    if parsed.drivername in _POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg2")
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise SettingsError(
        f"DATABASE_URL names {parsed.drivername!r}: expected sqlite:///path/churn.db (a file) or postgresql://…"
    )


def make_engine(url: str) -> Engine:
    """Return an engine for a database URL; nothing is connected yet.

    Raises:
        SettingsError: as `parse_url`.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
        event.listen(engine, "connect", _durable)
        return engine
    # Parameters hidden: an error's text would carry the employee's values into the log.
    options = {"connect_timeout": CONNECT_TIMEOUT, "options": f"-c statement_timeout={STATEMENT_TIMEOUT}s"}
    return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, connect_args=options)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Yield an engine for a database URL, and close its connections afterwards.

    Raises:
        SettingsError: as `parse_url`.
    """
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _durable(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Make SQLite keep what it acknowledged, let readers beside the writer, and hold its keys."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_embedded(url: str) -> bool:
    """Return whether a URL is that of a SQLite file, which the service may migrate by itself."""
    return parse_url(url).get_backend_name() == "sqlite"
