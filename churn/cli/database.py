"""`churn db`: the schema of the database that DATABASE_URL names."""

import click
from sqlalchemy import Engine

from churn.settings import load
from churn.storage import partitions, schema
from churn.storage.engine import name_of, opened


@click.group()
def db() -> None:
    """Migrate or check the database (DATABASE_URL; by default SQLite in BENTOML_HOME)."""


@db.command()
def upgrade() -> None:
    """Migrate the schema to head; run it after every update, before serving.

    On PostgreSQL it also makes the partitions of the next months. Interrupted, run it again: it goes on.
    """
    with opened(load().database_url.get_secret_value()) as engine:
        schema.upgrade(engine)
        partitions.ensure(engine)
        _tell(engine)


@db.command()
def check() -> None:
    """Say whether the database answers, is whole and at head; exit code 1 where not."""
    with opened(load().database_url.get_secret_value()) as engine:
        _tell(engine)


def _tell(engine: Engine) -> None:
    click.echo(f"{name_of(engine)} is at revision {schema.examine(engine)} (head)")
    found = partitions.listing(engine)
    if found.months:
        click.echo(f"partitions: {len(found.months)} months, {found.months[0]} to {found.months[-1]}")
    for table, count in found.strays.items():
        number = f"{count} or more" if count == partitions.COUNTED else str(count)
        click.echo(f"{table}: {number} rows are in the default partition: run `churn db upgrade`")
