"""The days that a command on the journal is about: --since and --until, in UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_YEARS = range(1970, 9999)  # what a UUIDv7 and a date can both hold
_DAY = click.DateTime(["%Y-%m-%d"])


def _start(_: click.Context, __: click.Parameter, day: datetime | None) -> datetime | None:
    if day is not None and day.year not in _YEARS:
        raise click.BadParameter(f"expected a day from {_YEARS[0]} to {_YEARS[-1]}")
    return None if day is None else day.replace(tzinfo=UTC)


def _end(context: click.Context, option: click.Parameter, day: datetime | None) -> datetime | None:
    start = _start(context, option, day)
    return None if start is None else start + timedelta(days=1)


def period(command: _Command) -> _Command:
    """Add `since` and `until`, the moments between which predictions were made; the second is excluded."""
    since = click.option(
        "--since", type=_DAY, callback=_start, metavar="DAY", help="From this day on (2026-01-31, UTC)."
    )
    until = click.option(
        "--until", type=_DAY, callback=_end, metavar="DAY", help="Up to this day, which is included."
    )
    return since(until(command))
