"""`churn monitor report`: what the monitors tell of a week, as a page to be printed."""

from datetime import datetime
from pathlib import Path

import click

from churn.cli.connection import connected
from churn.cli.data.period import period
from churn.cli.monitor.telling import model_of, of_model
from churn.core.atomic_file import replacing
from churn.core.language import LANGUAGES
from churn.monitoring.weekly import WeeklyMonitor
from churn.schemas.weekly_query import WeeklyQuery


@click.command()
@period
@of_model
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE",
    help="The file to write, such as week.html.",
)
def report(since: datetime | None, until: datetime | None, tag: str, output: Path) -> None:
    """Write drift, outcomes, oversight and the journal's counts of a week as one HTML page.

    By default, of the last seven days. The page is in French and in English, needs nothing else, and prints.
    Reviews are those of the week's predictions; outcomes are all that are known.
    """
    tag, dictionary = model_of(tag)
    with connected(patient=True) as engine:
        page = WeeklyMonitor(engine, dictionary).write(WeeklyQuery(since=since, until=until), tag, LANGUAGES)
    with replacing(output) as beside:
        beside.write_text(page, encoding="utf-8")
    click.echo(f"{output}: written")
