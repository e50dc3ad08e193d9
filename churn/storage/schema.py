"""The schema's version: where the database is, where the code wants it, and the way between."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from churn.errors import DatabaseError

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def _config(engine: Engine | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what the driver raises into one sentence without the password.

    Raises:
        DatabaseError: anything of SQLAlchemy's or Alembic's was raised inside.
    """
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise DatabaseError(
            f"the database {where} does not answer ({reason[0] if reason else type(error).__name__}): "
            "start it or correct DATABASE_URL, then run `churn db check`"
        ) from error
    except SQLAlchemyError as error:
        raise DatabaseError(
            f"the database {where} refuses what it was told ({type(error).__name__}): run `churn db check`"
        ) from error
    except CommandError as error:
        raise DatabaseError(f"the database {where} cannot be migrated: {error}") from error


@lru_cache(maxsize=1)
def head() -> str | None:
    """Return the revision that this code is written for."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(engine: Engine) -> str | None:
    """Return the revision that the database is at; None where it was never migrated.

    Raises:
        DatabaseError: the database cannot be reached.
    """
    with explained(engine), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the schema up to a revision.

    Raises:
        DatabaseError: the database cannot be reached, or refuses the migration.
    """
    with explained(engine):
        command.upgrade(_config(engine), revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrate the schema down to a revision; what only newer revisions hold is lost.

    Raises:
        DatabaseError: the database cannot be reached, or refuses the migration.
    """
    with explained(engine):
        command.downgrade(_config(engine), revision)


def check(engine: Engine) -> str:
    """Return the revision of a database that is at head.

    Raises:
        DatabaseError: it cannot be reached or is not at head; the message says what mends it.
    """
    found, wanted = current(engine), head()
    if found == wanted and found is not None:
        return found
    where = engine.url.render_as_string(hide_password=True)
    state = "has no schema yet" if found is None else f"is at revision {found}, not at head ({wanted})"
    raise DatabaseError(f"the database {where} {state}: run `churn db upgrade`")
