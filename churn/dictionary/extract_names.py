"""The names of extracts' files, as people's folders have them: with a date, or with the number of a copy."""

import re

# After an extract's name.
_ADDED = re.compile(r"[\d _.()h-]*(copie|copy)?[\d _.()h-]*")


def is_named(stem: str, extract: str) -> bool:
    """Return whether a file's name without its suffix is that of an extract, as "Extract_2026-03 (1)" is."""
    lower = stem.lower()
    return lower.startswith(extract) and _ADDED.fullmatch(lower[len(extract) :]) is not None
