"""Alembic's entry point: runs the revisions on the engine that is passed in, or on that of the settings."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, Engine

from churn.core.settings import load
from churn.database.engine import make_engine
from churn.database.locks import alone
from churn.database.months import is_partition
from churn.database.schema import TOUCH, WAL
from churn.database.tables import metadata


def run() -> None:
    """Run the requested revisions; of several processes that start at once, one runs and the others wait."""
    passed: Engine | None = context.config.attributes.get("engine")
    engine = passed or make_engine(load().database_url.get_secret_value())
    if engine.dialect.name == "sqlite":
        _run_at_once(engine)
    else:
        _run_online(engine)


def _run_at_once(engine: Engine) -> None:
    """Run all in one transaction."""
    with engine.begin() as connection:
        connection.exec_driver_sql(WAL)
        # Python's driver would commit each statement by itself, and let two starters run at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(TOUCH)
        # SQLite cannot alter most of a table: Alembic copies it instead.
        _configure(connection, transactional_ddl=True, render_as_batch=True)
        context.run_migrations()


def _run_online(engine: Engine) -> None:
    """Run each revision in its own transaction, or in as many as it makes itself."""
    with alone(engine) as connection:
        _configure(connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


def _configure(connection: Connection, **options: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        include_name=lambda name, kind, _: kind != "table" or not is_partition(str(name)),
        **options,
    )


run()
