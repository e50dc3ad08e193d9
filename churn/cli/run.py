"""`churn run`: prepares whatever is missing, and serves."""

import os
import sys
from pathlib import Path

import click

from churn.cli.number_options import notation_options, separator
from churn.cli.serve import start
from churn.cli.setup import data_option, prepare
from churn.core.settings import load
from churn.ingest.mark import Mark


@click.command()
@data_option
@notation_options
def run(data: Path | None, decimal: Mark | None, thousands: Mark | None) -> None:
    """Prepare a first start like `churn setup`, then serve like `churn serve`.

    CHURN_HOST and PORT choose the address, by default 127.0.0.1:3000.
    """
    settings = load()
    if prepare(settings, data, separator(decimal, thousands)):
        # A new process: training's libraries would occupy memory for as long as this one serves.
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "churn.cli.main", "serve"])  # noqa: S606
    start(settings)
