"""`churn data export`: what was predicted, as a table for those who study it."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import Engine

from churn.cli.company import DICTIONARY
from churn.cli.data.period import period
from churn.cli.termination import terminated_as_interrupted
from churn.core.operator import operator
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.journal.operator_actions import record_action
from churn.journal.writer import Writer
from churn.records.export import check
from churn.records.export import export as write
from churn.records.predictions import count, logged


@click.command()
@click.argument("file", metavar="FILE.parquet", type=click.Path(path_type=Path))
@period
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def export(file: Path, since: datetime | None, until: datetime | None, *, overwrite: bool) -> None:
    """Write one row for each prediction to a Parquet file: the call, the input, the result, the reasons.

    The file holds personal data. The journal records who made it. It appears only when it is complete.
    """
    check(file, overwrite=overwrite)
    console = Console(highlight=False, soft_wrap=True)
    with opened(load().database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        total = count(engine, since, until)
        # No more than that: a service that goes on predicting shall not keep the export from its end.
        stream = logged(engine, since, until, limit=total)
        with terminated_as_interrupted(), Progress(console=console) as progress:
            task = progress.add_task("Exporting", total=1.0)
            rows = write(
                file,
                DICTIONARY,
                stream,
                total,
                lambda rows: _record(engine, rows, since, until),
                lambda _, share: progress.update(task, completed=share),
            )
    console.print(f"{rows:,} predictions are in {file}, which holds personal data", markup=False)


def _record(engine: Engine, rows: int, since: datetime | None, until: datetime | None) -> None:
    with closing(Writer(engine)) as writer:
        record_action(writer, "churn data export", {"rows": rows, "since": since, "until": until}, operator())
