"""`churn db`: the schema of the database that DATABASE_URL names."""

import click

from churn.settings import load
from churn.storage import schema
from churn.storage.engine import make_engine


@click.group()
def db() -> None:
    """Migrate or check the database (DATABASE_URL; by default SQLite in BENTOML_HOME)."""


@db.command()
def upgrade() -> None:
    """Migrate the schema to head; run it after every update, before serving."""
    engine = make_engine(load().database_url)
    schema.upgrade(engine)
    click.echo(f"{engine.url.render_as_string()} is at revision {schema.check(engine)} (head)")


@db.command()
def check() -> None:
    """Say whether the database answers and is at head; exit code 1 where not."""
    engine = make_engine(load().database_url)
    click.echo(f"{engine.url.render_as_string()} is at revision {schema.check(engine)} (head)")
