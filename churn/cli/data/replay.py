"""`churn data replay`: whether the past comes out as it was logged."""

from datetime import datetime

import click
from rich.console import Console
from rich.progress import Progress

from churn.cli.company import DICTIONARY
from churn.cli.data.period import period
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.records.predictions import count, logged
from churn.records.replay import Replay, Replayed


@click.command()
@period
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N.")
def replay(since: datetime | None, until: datetime | None, limit: int | None) -> None:
    """Predict again what was logged, the newest first, with the models that the journal names.

    Every number must come out as it was logged. If one does not, the exit code is 1. What the service
    logged must be the same to the last digit, and what `churn score` logged to 1e-9. Predictions whose
    model is not in the store are counted.
    """
    console = Console(highlight=False, soft_wrap=True)
    run = Replay(DICTIONARY)
    with opened(load().database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        total = count(engine, since, until, limit)
        with Progress(console=console) as progress:
            stream = logged(engine, since, until, limit, newest_first=True)
            run.add(progress.track(stream, total=total, description="Replaying"))
    _tell(console, run.found)
    if run.found.different:
        raise SystemExit(1)


def _tell(console: Console, found: Replayed) -> None:
    lines = [f"note: {tag} fails its self-test: {'; '.join(why)}" for tag, why in found.failing.items()]
    lines += [f"{found.same:,} predictions come out as they were logged"]
    lines += [f"{found.erased:,} erased, so not replayed"] * bool(found.erased)
    lines += [
        f"{number:,} not replayed: their model {tag} is not in the store, or of another version of churn"
        for tag, number in found.missing.items()
    ]
    if found.different:
        lines += [f"{found.different:,} come out DIFFERENT:"]
        lines += [f"  {difference}" for difference in found.differences]
        more = found.different - len(found.differences)
        lines += [f"  … and {more:,} more"] * (more > 0)
    console.print("\n".join(lines), markup=False)
