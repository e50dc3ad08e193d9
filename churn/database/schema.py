"""The schema's revision: the database's, the one that the code needs, and the way between."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from churn.core.errors import DatabaseError
from churn.database.engine import name_of

MIGRATIONS = Path(__file__).with_name("migrations")
INSUFFICIENT_PRIVILEGE = "42501"

# The revisions are numbered; their files are rNNNN_what.py.
REVISIONS = frozenset(path.name[1:5] for path in (MIGRATIONS / "versions").glob("r*.py"))
_VERSION = table("alembic_version", column("version_num"))  # Alembic's own: the database's revision

# Every revision has these tables.
_OURS = {"users", "tokens", "requests", "prediction_results"}

_LEFT = "it was left as it is: restore it from a backup, or name another file in DATABASE_URL"
# By the prefix of SQLite's name for the error.
_SQLITE = {
    "SQLITE_NOTADB": f"is no SQLite database; {_LEFT}",
    "SQLITE_CORRUPT": f"is damaged or cut off; {_LEFT}",
    "SQLITE_READONLY": "cannot be written: give this user the right to write the file and its folder",
    "SQLITE_CANTOPEN": "cannot be opened: DATABASE_URL must name a file, in a folder this user may write",
    "SQLITE_FULL": "has no room left on its disk: make some",
    "SQLITE_BUSY": "is locked by another process: try again, or end what holds it",
}
# By PostgreSQL's code.
_POSTGRESQL = {
    "55P03": "is busy: a lock was not free in time; try again, or end what holds the journal's tables",
    "57014": "is busy: a statement took too long; try again",
    "25006": "takes no writes (a standby, or default_transaction_read_only is on): name the primary in "
    "DATABASE_URL, or turn it off",
    INSUFFICIENT_PRIVILEGE: "does not let the role of DATABASE_URL do that: use the one that owns the tables",
}

WAL = "PRAGMA journal_mode = WAL"  # readers do not wait for the writer; the file stores this
TOUCH = "PRAGMA user_version = 0"  # changes nothing, and fails where a SQLite file cannot be written


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn errors of SQLAlchemy's into one sentence without the password.

    Raises:
        DatabaseError: SQLAlchemy raised an error inside.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise explanation(engine, error) from error


def explanation(engine: Engine, error: SQLAlchemyError) -> DatabaseError:
    """Return an error of SQLAlchemy's as one sentence without the password."""
    return DatabaseError(f"the database {name_of(engine)} {_reason(error)}")


def sqlstate(error: DatabaseError) -> str | None:
    """Return PostgreSQL's code for an error that `explained` raised; None where it gave none."""
    return getattr(getattr(error.__cause__, "orig", None), "pgcode", None)


def _reason(error: SQLAlchemyError) -> str:
    driver = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(driver, "sqlite_errorname", None) or ""
    for prefix, sentence in _SQLITE.items():
        if name.startswith(prefix):
            return sentence
    if sentence := _POSTGRESQL.get(getattr(driver, "pgcode", None) or "", ""):
        return sentence
    if isinstance(error, PoolTimeoutError):
        return "has no connection free for this process: too many calls ask it at once; try again"
    if isinstance(error, PendingRollbackError):
        return "was left in the middle of a change, of which nothing half done stays: run the command again"
    if isinstance(error, OperationalError | InterfaceError):
        reason = (str(driver or error).strip().splitlines() or [type(error).__name__])[0]
        return f"does not answer ({reason}): start it or correct DATABASE_URL, then run `churn db check`"
    return f"refuses what it was told ({type(error).__name__}): run `churn db check`"


def head() -> str:
    """Return the revision that this code needs."""
    return max(REVISIONS)


def current(engine: Engine) -> str | None:
    """Return the revision of the database; None where it was never migrated.

    Raises:
        DatabaseError: the database does not answer, belongs to another application, or is newer than this
        code.
    """
    with explained(engine), engine.connect() as connection:
        revisions, tables = _read_revisions_and_tables(connection)
    if (revisions or tables) and not (revisions and tables >= _OURS):
        names = ", ".join(sorted(tables)[:3]) or "none"
        raise DatabaseError(
            f"the database {name_of(engine)} is of another application (its tables: {names}) and was left "
            "as it is: name a database of churn's own in DATABASE_URL"
        )
    if unknown := set(revisions) - REVISIONS:
        raise DatabaseError(
            f"the database {name_of(engine)} is at revision {', '.join(sorted(unknown))}, which this churn "
            "does not know: a newer one migrated it; update churn, or name another database in DATABASE_URL"
        )
    return revisions[0] if revisions else None


def _read_revisions_and_tables(connection: Connection) -> tuple[tuple[str, ...], set[str]]:
    """Return the revisions and tables of the same moment, even while another process migrates."""
    while True:
        tables = set(inspect(connection).get_table_names())
        query = select(_VERSION.c.version_num)
        revisions = tuple(connection.execute(query).scalars()) if _VERSION.name in tables else ()
        if set(inspect(connection).get_table_names()) == tables:
            return revisions, tables - {_VERSION.name}


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the schema up to a revision.

    Raises:
        DatabaseError: the database does not answer, is not churn's, or refuses the migration.
    """
    if current(engine) == head() and revision == "head":
        _touch(engine)
    else:
        _migrate(engine, "upgrade", revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrate the schema down to a revision; data that only newer revisions can hold is lost.

    Raises:
        DatabaseError: as `upgrade`.
    """
    current(engine)
    _migrate(engine, "downgrade", revision)


def _migrate(engine: Engine, direction: Literal["upgrade", "downgrade"], revision: str) -> None:
    # Imported here: it takes as long as the rest of a command, and a database at head does not need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"engine": engine})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with explained(engine):
            getattr(command, direction)(config, revision)
    except CommandError as error:
        raise DatabaseError(f"the database {name_of(engine)} cannot be migrated: {error}") from error


def _touch(engine: Engine) -> None:
    """Write to a SQLite file as a migration would, so that one that cannot be written is noticed."""
    if engine.dialect.name == "sqlite":
        with explained(engine), engine.connect() as connection:
            connection.exec_driver_sql(WAL)
            connection.exec_driver_sql(TOUCH)


def check(engine: Engine) -> str:
    """Return the revision of a database that is at head.

    Raises:
        DatabaseError: it does not answer, or is not at head; the message says what to do.
    """
    revision = current(engine)
    if revision == head():
        return head()
    state = "has no schema yet" if revision is None else f"is at revision {revision}, not at head ({head()})"
    raise DatabaseError(f"the database {name_of(engine)} {state}: run `churn db upgrade`")


def examine(engine: Engine) -> str:
    """Return the revision as `check` does; read all of a SQLite file to see that it is intact and writable.

    Raises:
        DatabaseError: as `check`, or it is damaged or read-only.
    """
    revision = check(engine)
    if engine.dialect.name == "sqlite":
        with explained(engine), engine.connect() as connection:
            connection.exec_driver_sql(TOUCH)
            is_whole = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() == "ok"
        if not is_whole:
            raise DatabaseError(f"the database {name_of(engine)} {_SQLITE['SQLITE_CORRUPT']}")
    return revision
