"""The options that say how numbers are written, where a column alone cannot tell."""

from collections.abc import Callable

import click

from churn.ingest.mark import OTHER_MARK, Mark

_MARKS = click.Choice(list(OTHER_MARK))


def notation_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--decimal` and `--thousands`; `separator` makes one of the two."""
    about = "a point or a comma. Only for columns that can be read in two ways."
    command = click.option("--thousands", type=_MARKS, help=f"What parts thousands: {about}")(command)
    return click.option("--decimal", type=_MARKS, help=f"What parts decimals: {about}")(command)


def separator(decimal: Mark | None, thousands: Mark | None) -> Mark | None:
    """Return what parts thousands, by the two options; each implies the other.

    Raises:
        click.UsageError: they contradict each other.
    """
    if decimal is not None and decimal == thousands:
        raise click.UsageError("--decimal and --thousands cannot be the same mark")
    return OTHER_MARK[decimal] if decimal is not None else thousands
