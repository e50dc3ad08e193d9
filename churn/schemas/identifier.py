"""Identifiers of employees, and other texts that callers make up: only what people can read."""

import re
from typing import Any

from pydantic_core import PydanticCustomError

from churn.dictionary.field import LARGEST_IDENTIFIER

LONGEST_IDENTIFIER = 64  # characters

# Characters that nobody sees, or sees as another, as a class of a regular expression: controls, spaces other
# than the plain one, fillers, marks of direction and variants, private use. With lone surrogates, which no
# JSON text can hold as such, they are in no name.
UNSEEN = (
    r"\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\u3164\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
# What an identifier looks like as a text: space around it is dropped.
IDENTIFIER_PATTERN = rf"^\s*[^\s{UNSEEN}]([^{UNSEEN}]{{0,{LONGEST_IDENTIFIER - 2}}}[^\s{UNSEEN}])?\s*$"
# An identifier in JSON.
IDENTIFIER_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": LARGEST_IDENTIFIER},
        {"type": "string", "pattern": IDENTIFIER_PATTERN},
    ]
}
_READABLE = re.compile(rf"[^{UNSEEN}\ud800-\udfff]+")


def is_readable(text: str) -> bool:
    """Return whether a text has characters, and only such as people see."""
    return _READABLE.fullmatch(text) is not None


def check_identifier(value: object) -> object:
    """Return an identifier, its text without space around it.

    Raises:
        PydanticCustomError: it names nobody, as a boolean, a negative number, an empty or an endless text.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        value = value.strip()
        if len(value) <= LONGEST_IDENTIFIER and is_readable(value):
            return value
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if value <= LARGEST_IDENTIFIER:
            return value
        raise PydanticCustomError("less_than_equal", "too large")
    raise PydanticCustomError("identifier", "not an identifier")
