"""The schema's version: where the database is, where the code wants it, and the way between."""

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

# The revisions are numbered, and named in front of their files: rNNNN_what.py.
REVISIONS = frozenset(path.name[1:5] for path in (MIGRATIONS / "versions").glob("r*.py"))
_VERSION = table("alembic_version", column("version_num"))  # where Alembic keeps the one of a database

# Every revision has these tables.
_OURS = {"users", "tokens", "requests", "prediction_results"}

_LEFT = "it was left as it is: restore it from a backup, or name another file in DATABASE_URL"
# By the beginning of SQLite's name for the error.
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

WAL = "PRAGMA journal_mode = WAL"  # readers go beside the writer; the file keeps that
TOUCH = "PRAGMA user_version = 0"  # changes nothing in a SQLite file, and fails where it cannot be written


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what the driver raises into one sentence without the password.

    Raises:
        DatabaseError: anything of SQLAlchemy's was raised inside.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise explanation(engine, error) from error


def explanation(engine: Engine, error: SQLAlchemyError) -> DatabaseError:
    """Return one sentence for what SQLAlchemy raised, without the password."""
    return DatabaseError(f"the database {name_of(engine)} {_reason(error)}")


def sqlstate(error: DatabaseError) -> str | None:
    """Return PostgreSQL's code of what `explained` explained; None where it gave none."""
    return getattr(getattr(error.__cause__, "orig", None), "pgcode", None)


def _reason(error: SQLAlchemyError) -> str:
    driver = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(driver, "sqlite_errorname", None) or ""
    for beginning, sentence in _SQLITE.items():
        if name.startswith(beginning):
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
    """Return the revision that this code is written for."""
    return max(REVISIONS)


def current(engine: Engine) -> str | None:
    """Return the revision that the database is at; None where it was never migrated.

    Raises:
        DatabaseError: the database cannot be reached, is of another application, or newer than this code.
    """
    with explained(engine), engine.connect() as connection:
        found, tables = _look(connection)
    if (found or tables) and not (found and tables >= _OURS):
        names = ", ".join(sorted(tables)[:3]) or "none"
        raise DatabaseError(
            f"the database {name_of(engine)} is of another application (its tables: {names}) and was left "
            "as it is: name a database of churn's own in DATABASE_URL"
        )
    if unknown := set(found) - REVISIONS:
        raise DatabaseError(
            f"the database {name_of(engine)} is at revision {', '.join(sorted(unknown))}, which this churn "
            "does not know: a newer one migrated it; update churn, or name another database in DATABASE_URL"
        )
    return found[0] if found else None


def _look(connection: Connection) -> tuple[tuple[str, ...], set[str]]:
    """Return the revisions and the tables of one moment, also while another process migrates."""
    while True:
        tables = set(inspect(connection).get_table_names())
        found = _revisions(connection) if _VERSION.name in tables else ()
        if set(inspect(connection).get_table_names()) == tables:
            return found, tables - {_VERSION.name}


def _revisions(connection: Connection) -> tuple[str, ...]:
    return tuple(connection.execute(select(_VERSION.c.version_num)).scalars())


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the schema up to a revision.

    Raises:
        DatabaseError: the database cannot be reached, is not churn's, or refuses the migration.
    """
    if current(engine) == head() and revision == "head":
        _touch(engine)
    else:
        _migrate(engine, "upgrade", revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrate the schema down to a revision; what only newer revisions hold is lost.

    Raises:
        DatabaseError: as `upgrade`.
    """
    current(engine)
    _migrate(engine, "downgrade", revision)


def _migrate(engine: Engine, way: Literal["upgrade", "downgrade"], revision: str) -> None:
    # Imported here: it takes as long as all else of a command, and a database at head does without.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config(attributes={"engine": engine})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with explained(engine):
            getattr(command, way)(config, revision)
    except CommandError as error:
        raise DatabaseError(f"the database {name_of(engine)} cannot be migrated: {error}") from error


def _touch(engine: Engine) -> None:
    """Have a SQLite file written as a migration would: one that cannot be written is to be noticed."""
    if engine.dialect.name == "sqlite":
        with explained(engine), engine.connect() as connection:
            connection.exec_driver_sql(WAL)
            connection.exec_driver_sql(TOUCH)


def check(engine: Engine) -> str:
    """Return the revision of a database that is at head.

    Raises:
        DatabaseError: it cannot be reached or is not at head; the message says what mends it.
    """
    found, wanted = current(engine), head()
    if found == wanted:
        return wanted
    state = "has no schema yet" if found is None else f"is at revision {found}, not at head ({wanted})"
    raise DatabaseError(f"the database {name_of(engine)} {state}: run `churn db upgrade`")


def examine(engine: Engine) -> str:
    """Return the revision as `check`; of a SQLite file also see that it is whole, and can be written.

    Reads the whole file.

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
