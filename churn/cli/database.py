"""`churn db`: the schema of the database that DATABASE_URL names."""

import click
from sqlalchemy import Engine

from churn.settings import load
from churn.storage import schema
from churn.storage.engine import opened


@click.group()
def db() -> None:
    """Migrate or check the database (DATABASE_URL; by default SQLite in BENTOML_HOME)."""


@db.command()
def upgrade() -> None:
    """Migrate the schema to head; run it after every update, before serving."""
    with opened(load().database_url) as engine:
        schema.upgrade(engine)
        _tell(engine)


@db.command()
def check() -> None:
    """Say whether the database answers and is at head; exit code 1 where not."""
    with opened(load().database_url) as engine:
        _tell(engine)


def _tell(engine: Engine) -> None:
    click.echo(f"{engine.url.render_as_string()} is at revision {schema.check(engine)} (head)")
