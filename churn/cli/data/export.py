"""`churn data export`: logged predictions as a table, to be studied."""

from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from churn.cli.company import DICTIONARY
from churn.cli.connection import connected
from churn.cli.data.period import period
from churn.cli.termination import terminated_as_interrupted
from churn.journal.operator_actions import record_action
from churn.model.served_dictionary import journalled_dictionary
from churn.records.export import check
from churn.records.export import export as write
from churn.records.predictions import count, logged


@click.command()
@click.argument("file", metavar="FILE.parquet", type=click.Path(path_type=Path))
@period
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def export(file: Path, since: datetime | None, until: datetime | None, *, overwrite: bool) -> None:
    """Write one row per prediction to a Parquet file: the call, the input, the result, the reasons.

    The file holds personal data. The journal records who made it. It appears only when it is complete.
    """
    check(file, overwrite=overwrite)
    console = Console(highlight=False, soft_wrap=True)
    with connected(patient=True) as engine:
        total = count(engine, since, until)
        # No more than these: a service that goes on predicting must not keep the export from ending.
        stream = logged(engine, since, until, limit=total)
        with terminated_as_interrupted(), Progress(console=console) as progress:
            task = progress.add_task("Exporting", total=1.0)
            rows = write(
                file,
                journalled_dictionary(DICTIONARY),
                stream,
                total,
                lambda rows: record_action(
                    engine, "churn data export", {"rows": rows, "since": since, "until": until}
                ),
                lambda _, share: progress.update(task, completed=share),
            )
    console.print(f"{rows:,} predictions are in {file}, which holds personal data", markup=False)
