"""`churn run`: prepares whatever is missing, and serves."""

import subprocess
import sys

import click

from churn.cli.serve import start
from churn.cli.setup import prepare
from churn.cli.source import Source, as_options, source_options
from churn.cli.termination import terminated_as_interrupted
from churn.core.settings import load


@click.command()
@source_options
def run(source: Source) -> None:
    """Prepare a first start like `churn setup`, then serve like `churn serve`.

    CHURN_HOST and PORT choose the address, by default 127.0.0.1:3000.
    """
    settings = load()
    prepare(settings, source, _set_up)
    start(settings)


def _set_up(_source: Source, *, accept_changed_api: bool) -> None:  # noqa: ARG001 - `setup` finds that out itself
    """Have another process train: its libraries would occupy memory for as long as this one serves."""
    options = as_options(click.get_current_context().params)
    sys.stdout.flush()
    with terminated_as_interrupted():
        done = subprocess.run([sys.executable, "-m", "churn.cli.main", "setup", *options])  # noqa: S603
    if done.returncode:
        raise SystemExit(done.returncode)
