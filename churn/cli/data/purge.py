"""`churn data purge`: removes old calls."""

from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.progress import Progress

from churn.cli.age import METAVAR, read_age
from churn.cli.connection import LEFT_IN_LOG, connected
from churn.core.errors import SettingsError
from churn.records import privacy

LEAST = timedelta(days=183)  # article 26(6) of the AI Act has deployers keep logs for six months


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
    with connected(patient=True) as engine:
        number = privacy.count_before(engine, before)
        click.echo(f"{number:,} calls are from before {before:%Y-%m-%d %H:%M} UTC")
        if dry_run or not number:
            return
        if not yes:
            click.confirm("Remove them for good?", abort=True)
        with Progress(console=Console(highlight=False)) as progress:
            task = progress.add_task("Purging", total=number)
            in_log = privacy.purge(engine, before, lambda removed: progress.advance(task, removed))
    click.echo(f"{number:,} calls removed")
    if in_log:
        click.echo(LEFT_IN_LOG)
