"""`churn db`: the schema of the database that DATABASE_URL names."""

from pathlib import Path

import click
from sqlalchemy import Engine

from churn.core.errors import SettingsError
from churn.core.operator import operator
from churn.core.settings import load
from churn.database import partitions, schema
from churn.database.engine import name_of, opened, parse_url
from churn.journal.operator_actions import perform
from churn.records import backups


@click.command()
def upgrade() -> None:
    """Migrate the schema to its newest version. Run this after every update, before you serve.

    On PostgreSQL it also makes the partitions of the next months. If it is interrupted, run it again.
    """
    with opened(load().database_url.get_secret_value()) as engine:
        schema.upgrade(engine)
        partitions.ensure(engine)
        _tell(engine)


@click.command()
def check() -> None:
    """Check that the database answers, is whole and is up to date. If not, the exit code is 1."""
    with opened(load().database_url.get_secret_value()) as engine:
        _tell(engine)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--within",
    type=click.FloatRange(min=0, min_open=True),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="How long it may take.",
)
def backup(file: Path, within: float) -> None:
    """Copy the whole database to FILE while the service runs: a SQLite file, or what pg_dump makes.

    FILE holds personal data. The journal records who made it. It appears only when it is complete.
    """
    if file.exists():
        raise SettingsError(f"{file} is already there: name another file")
    url = load().database_url.get_secret_value()
    with opened(url) as engine:
        schema.check(engine)
        perform(engine, "churn db backup", {"file": file.name}, operator(), lambda _: None)
        backups.backup(parse_url(url), file, within)
    click.echo(f"the whole database is in {file}, which holds personal data")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--over", is_flag=True, help="Set aside a SQLite database that is already there.")
@click.option("--unverified", is_flag=True, help="Accept a copy whose journal is not as it was written.")
def restore(file: Path, *, over: bool, unverified: bool) -> None:
    """Restore the database from FILE, which `churn db backup` made, after checking that it is whole.

    Stop the service first. Afterwards, repeat what was erased or purged since the copy was made.
    """
    url = load().database_url.get_secret_value()
    aside = backups.restore(parse_url(url), file, over=over, unverified=unverified)
    if aside is not None:
        click.echo(f"the database that was there is now {aside}")
    with opened(url) as engine:
        revision = schema.current(engine)
        if revision != schema.head():
            click.echo(f"{name_of(engine)} is at revision {revision}: run `churn db upgrade`")
            return
        perform(engine, "churn db restore", {"file": file.name}, operator(), lambda _: None)
        _tell(engine)


def _tell(engine: Engine) -> None:
    click.echo(f"{name_of(engine)} is at revision {schema.examine(engine)} (head)")
    found = partitions.listing(engine)
    if found.months:
        click.echo(f"partitions: {len(found.months)} months, {found.months[0]} to {found.months[-1]}")
    for table, count in found.default_rows.items():
        number = f"{count} or more" if count == partitions.COUNTED else str(count)
        click.echo(
            f"{table}: {number} rows are in the default partition, and stay there until they are purged"
        )
