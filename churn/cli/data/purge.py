"""`churn data purge`: the end of what is old."""

from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.progress import Progress

from churn.cli.age import METAVAR, read_age
from churn.cli.data.person import IN_LOG
from churn.core.errors import SettingsError
from churn.core.operator import operator
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.journal.writer import Writer
from churn.records.privacy import count_before
from churn.records.privacy import purge as remove

LEAST = timedelta(days=183)  # the six months for which article 26(6) of the AI Act has deployers keep logs


@click.command()
@click.option(
    "--older-than",
    default="400d",
    show_default=True,
    callback=read_age,
    metavar=METAVAR,
    help="Age in days, months of 30 days or years of 365 days (400d, 14m, 2y).",
)
@click.option("--dry-run", is_flag=True, help="Only say how much would be removed.")
@click.option("--force", is_flag=True, help="Allow less than six months, which the AI Act requires.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def purge(older_than: timedelta, *, dry_run: bool, force: bool, yes: bool) -> None:
    """Remove every call older than AGE from the journal. This cannot be undone. It is logged."""
    if older_than < LEAST and not force:
        raise SettingsError(
            f"less than {LEAST.days} days: deployers keep the logs of a high-risk system for six months "
            "at least (AI Act, article 26(6)); --force removes them all the same"
        )
    before = datetime.now(UTC) - older_than
    with opened(load().database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        number = count_before(engine, before)
        click.echo(f"{number:,} calls are from before {before:%Y-%m-%d %H:%M} UTC")
        if dry_run or not number:
            return
        if not yes:
            click.confirm("Remove them for good?", abort=True)
        writer = Writer(engine)
        with Progress(console=Console(highlight=False)) as progress:
            task = progress.add_task("Purging", total=number)
            in_log = remove(engine, writer, before, operator(), lambda done: progress.advance(task, done))
        writer.close()
    click.echo(f"{number:,} calls removed")
    if in_log:
        click.echo(IN_LOG)
