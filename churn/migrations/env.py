"""Alembic's entry: runs the revisions on the engine handed in, else on the one of the settings."""

from alembic import context
from sqlalchemy import Engine

from churn.settings import load
from churn.storage.engine import make_engine
from churn.storage.tables import metadata


def run() -> None:
    """Run the revisions asked for, in one transaction."""
    engine: Engine = context.config.attributes.get("engine") or make_engine(load().database_url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_type=True,
            # SQLite cannot alter most of a table: Alembic copies it instead.
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()


run()
