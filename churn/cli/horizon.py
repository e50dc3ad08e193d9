"""The option that says within how many days people left."""

from collections.abc import Callable
from typing import Any

import click

from churn.schemas.performance_query import MOST_DAYS


def horizon_option(about: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return what gives a command the option `--horizon`, with this help."""
    return click.option("--horizon", type=click.IntRange(1, MOST_DAYS), metavar="DAYS", help=about)
