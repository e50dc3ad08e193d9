"""Durations as people write them in settings: 30m, 12h, 7d."""

import re
from datetime import timedelta

_DURATION = re.compile(r"([1-9]\d{0,3})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def read_duration(text: object) -> object:
    """Return the length of time that a text says; raises ValueError where it says none."""
    if not isinstance(text, str):
        return text
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("expected minutes, hours or days: 30m, 12h, 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
