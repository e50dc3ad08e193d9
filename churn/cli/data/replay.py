"""`churn data replay`: checks that logged predictions come out the same."""

from datetime import datetime

import click
from rich.console import Console
from rich.progress import Progress

from churn.cli.company import DICTIONARY
from churn.cli.connection import connected
from churn.cli.data.period import period
from churn.records.predictions import count, logged
from churn.records.replay import Replay, ReplayResult


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
    with connected(patient=True) as engine:
        total = count(engine, since, until, limit)
        with Progress(console=console) as progress:
            stream = logged(engine, since, until, limit, newest_first=True)
            run.add(progress.track(stream, total=total, description="Replaying"))
    _print(console, run.result)
    if run.result.different:
        raise SystemExit(1)


def _print(console: Console, result: ReplayResult) -> None:
    lines = [
        f"note: {tag} fails its self-test: {'; '.join(failures)}" for tag, failures in result.failing.items()
    ]
    lines += [f"{result.same:,} predictions come out as they were logged"]
    lines += [f"{result.erased:,} erased, so not replayed"] * bool(result.erased)
    lines += [
        f"{number:,} not replayed: their model {tag} is not in the store, or of another version of churn"
        for tag, number in result.missing.items()
    ]
    if result.different:
        lines += [f"{result.different:,} come out DIFFERENT:"]
        lines += [f"  {difference}" for difference in result.differences]
        more = result.different - len(result.differences)
        lines += [f"  … and {more:,} more"] * (more > 0)
    console.print("\n".join(lines), markup=False)
