"""The engine: a database URL, as people write it, made into SQLAlchemy's engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from churn.core.errors import SettingsError
from churn.database.embedded import BUSY_TIMEOUT, Embedded, Identity, SqliteConnection
from churn.database.postgres_connection import Cursor, PostgresConnection
from churn.database.session import Session, with_patience

_POSTGRESQL = ("postgres", "postgresql", "postgresql+psycopg2")
_SQLITE = ("sqlite", "sqlite+pysqlite")
_ENCODED = "in names and passwords write @ as %40, / as %2F, : as %3A, ? as %3F, % as %25"

# A worker's connections: one is the journal's, the others serve sign-ins and the history, a few at a time.
# A caller that finds none free is told so soon.
POOL_SIZE = 5
MAX_OVERFLOW = 3
POOL_TIMEOUT = 5  # seconds

# libpq's parameters, where the URL does not say otherwise.
_CONNECTION = {
    "application_name": "churn",
    "connect_timeout": 5,  # seconds
    # A server that vanished is noticed in half a minute, not in two hours.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
_SQLITE_PARAMETERS = (
    *("timeout", "cached_statements", "check_same_thread"),  # the driver's
    *("uri", "mode", "cache", "immutable", "nolock", "vfs"),  # SQLite's own
)
_SECRETS = ("password", "sslpassword", "oauth_client_secret")  # among libpq's parameters


def parse_url(url: str) -> URL:
    """Return a database URL with its driver; `postgres://` and `postgresql://` mean psycopg2.

    Raises:
        SettingsError: the text is no URL, or of an unsupported database; the message repeats nothing that
            may be part of the password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not chained: the messages repeat the URL, or what was taken for the port.
        raise SettingsError(
            "DATABASE_URL is not a URL: expected sqlite:///path/churn.db or "
            f"postgresql://user:password@host/name; {_ENCODED}"
        ) from None
    if parsed.drivername in _POSTGRESQL:
        if url.count("@") > (0 if parsed.username is None else 1):
            # The text after the first one would be taken for the host or the database, and shown.
            raise SettingsError(f"DATABASE_URL has an @ that separates nothing: {_ENCODED}")
        return parsed.set(drivername="postgresql+psycopg2")
    if parsed.drivername in _SQLITE and _is_file(parsed):
        return parsed
    raise SettingsError(
        f"DATABASE_URL names {parsed.drivername!r}: expected sqlite:///path/churn.db (a file) or postgresql://…"
    )


def _is_file(url: URL) -> bool:
    return bool(url.database) and url.database != ":memory:" and url.username is None and url.host is None


def name_of(engine: Engine) -> str:
    """Return a database's URL without its password and parameters, for people to read."""
    return engine.url.set(query={}).render_as_string(hide_password=True)


def make_engine(
    url: str, *, pool_size: int = POOL_SIZE, patient: bool = False, identity: Identity = None
) -> Engine:
    """Return an engine for a database URL; nothing is connected yet.

    `pool_size` is how many connections a process keeps; MAX_OVERFLOW more may come and go. The statements of
    a `patient` engine may take as long as they need, as where the whole journal is read. `identity` is the
    SQLite file that another process has opened: one that has taken its place is not touched. TLS and libpq's
    other parameters are set in the URL: `?sslmode=verify-full&sslrootcert=/path/ca.crt`.

    Raises:
        SettingsError: as `parse_url`, a parameter is unknown, or a SQLite file's folder cannot be made.
    """
    parsed = parse_url(url)
    _check_parameters(parsed)
    # Parameters are hidden: the text of an error would carry the employee's values into the log.
    pool: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": MAX_OVERFLOW,
        "pool_timeout": POOL_TIMEOUT,
    }
    if parsed.get_backend_name() == "sqlite":
        factory = partial(SqliteConnection, Embedded(str(parsed.database), identity))
        return create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT, "factory": factory}, **pool)
    plain, arguments = _arguments(parsed)
    engine = create_engine(plain, pool_pre_ping=True, use_native_hstore=False, connect_args=arguments, **pool)
    event.listen(engine, "checkin", _reset)
    return with_patience(engine) if patient else engine


def _reset(connection: Any, _: object) -> None:
    """End a connection's patience when it returns to the pool."""
    if connection is not None:
        connection.be_patient(is_patient=False)


def _arguments(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return a PostgreSQL URL and the connection's parameters; those in the URL win.

    Secrets among the URL's parameters are moved to the others: a URL hides nothing but its password.
    """
    arguments: dict[str, Any] = {name: value for name, value in _CONNECTION.items() if name not in url.query}
    # Texts are sent and read in this encoding, whatever other settings say.
    factory = partial(PostgresConnection, Session(url))
    arguments |= {"client_encoding": "utf8", "connection_factory": factory, "cursor_factory": Cursor}
    arguments.update({name: url.query[name] for name in _SECRETS if name in url.query})
    return url.difference_update_query(_SECRETS), arguments


def _check_parameters(url: URL) -> None:
    """Refuse unknown parameters, which would be ignored or end every connection; do not show their values."""
    is_known = _libpq_knows if url.get_backend_name() == "postgresql" else _SQLITE_PARAMETERS.__contains__
    if unknown := [name for name in sorted(url.query) if not is_known(name)]:
        raise SettingsError(
            f"DATABASE_URL has unknown parameters ({', '.join(unknown)}): take them out (PostgreSQL's are "
            "sslmode, sslrootcert, connect_timeout, options …)"
        )


def _libpq_knows(parameter: str) -> bool:
    try:
        parse_dsn(f"{parameter}=1")
    except ProgrammingError:
        return False
    return True


@contextmanager
def opened(url: str, *, patient: bool = False) -> Iterator[Engine]:
    """Yield an engine for a database URL, as `make_engine` does, and close its connections afterwards.

    Raises:
        SettingsError: as `parse_url`.
    """
    engine = make_engine(url, patient=patient)
    try:
        yield engine
    finally:
        engine.dispose()


def is_embedded(url: str) -> bool:
    """Return whether a URL names a SQLite file, which the service may migrate by itself."""
    return parse_url(url).get_backend_name() == "sqlite"
