"""`churn run`: a first start, whole: what is missing is made, and then it serves."""

import os
import sys
from pathlib import Path

import click

from churn.cli.number_options import notation_options, separator
from churn.cli.serve import start
from churn.cli.setup import data_option, prepare
from churn.core.settings import load
from churn.dictionary.domain import Mark


@click.command()
@data_option
@notation_options
def run(data: Path | None, decimal: Mark | None, thousands: Mark | None) -> None:
    """Make what a first start needs, as `churn setup` does, and serve, as `churn serve` does.

    The address is CHURN_HOST and PORT, by default 127.0.0.1:3000.
    """
    settings = load()
    if prepare(settings, data, separator(decimal, thousands)):
        # Begun anew: the libraries of training would take their memory for as long as this serves.
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "churn.cli.main", "serve"])  # noqa: S606
    start(settings)
