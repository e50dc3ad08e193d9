"""Alembic's entry: runs the revisions on the engine handed in, else on the one of the settings."""

from alembic import context
from sqlalchemy import Engine

from churn.settings import load
from churn.storage.engine import make_engine
from churn.storage.tables import metadata


def run() -> None:
    """Run the revisions asked for, in one transaction."""
    engine: Engine = context.config.attributes.get("engine") or make_engine(load().database_url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            # Python's driver would commit each statement by itself, and let two starters run at once.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # a large table may take long
        context.configure(
            connection=connection,
            transactional_ddl=True,
            target_metadata=metadata,
            compare_type=True,
            # SQLite cannot alter most of a table: Alembic copies it instead.
            render_as_batch=connection.dialect.name == "sqlite",
        )
        context.run_migrations()


run()
