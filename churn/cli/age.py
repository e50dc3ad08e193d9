"""Ages and lifetimes on the command line: 400d, 14m, 2y."""

import re
from datetime import timedelta

import click

METAVAR = "AGE"
_DAYS = {"d": 1, "m": 30, "y": 365}


def read_age(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    """Return the length of time that a text says; an option's callback.

    Raises:
        BadParameter: the text is malformed.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})([dmy])", text)
    if match is None:
        raise click.BadParameter("expected a number of days, months or years: 400d, 14m, 2y")
    return timedelta(days=int(match[1]) * _DAYS[match[2]])
