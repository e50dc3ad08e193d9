"""`churn run`: prepares whatever is missing, and serves."""

import os
import sys

import click

from churn.cli.serve import start
from churn.cli.setup import prepare
from churn.cli.source import Source, source_options
from churn.core.settings import load


@click.command()
@source_options
def run(source: Source) -> None:
    """Prepare a first start like `churn setup`, then serve like `churn serve`.

    CHURN_HOST and PORT choose the address, by default 127.0.0.1:3000.
    """
    settings = load()
    if prepare(settings, source):
        # A new process: training's libraries would occupy memory for as long as this one serves.
        from churn.training.plan import end_workers  # noqa: PLC0415 - imported by now, and only then

        end_workers()
        sys.stdout.flush()
        # What looked after those processes ends when nobody holds the other end of its pipe.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execv(sys.executable, [sys.executable, "-m", "churn.cli.main", "serve"])  # noqa: S606
    start(settings)
