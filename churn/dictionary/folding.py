"""Folding: two spellings that differ only in case, accents or signs become the same text."""

import re
import unicodedata
from functools import lru_cache

_SEPARATORS = re.compile(r"[\s_'’ʼ./()\-‐‒–—]+")


def fold_name(name: str) -> str:
    """Return a name as words joined by underscores, without case and accents.

    Spaces, dashes, apostrophes and parentheses separate words; signs of units (%, €, $) stay.
    """
    return "_".join(_SEPARATORS.split(_fold(name))).strip("_")


@lru_cache(maxsize=4096)
def fold_value(value: str) -> str:
    """Return only the letters and digits of a category, without case and accents."""
    return "".join(character for character in _fold(value) if character.isalnum())


def _fold(text: str) -> str:
    """Return a text without case and accents, whether these are composed or not."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
