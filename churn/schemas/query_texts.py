"""What reads the texts of a query's parameters: each says what is wrong by the kind of an error."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, LiteralString

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from churn.schemas.identifier import UNSEEN, is_readable

LONGEST_NAME = 128  # characters

NAME = WithJsonSchema({"type": "string", "pattern": f"^[^{UNSEEN}]{{1,{LONGEST_NAME}}}$"})
MOMENT = WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})


def text(kind: LiteralString, read: Callable[[str], object]) -> BeforeValidator:
    """Return what reads a parameter's text; where `read` raises ValueError, `kind` is what is wrong."""

    def value_of(value: object) -> object:
        try:
            return read(value) if isinstance(value, str) else value
        except ValueError:
            raise PydanticCustomError(kind, kind) from None

    return BeforeValidator(value_of)


def whole(most: int) -> Callable[[str], object]:
    """Return what reads an integer from 1 to `most`."""

    def read(text: str) -> int:
        # As long as the largest at most: int() takes ever longer.
        is_whole = text.isascii() and text.isdecimal() and len(text.lstrip("0")) <= len(str(most))
        if not (is_whole and 1 <= int(text) <= most):
            raise ValueError
        return int(text)

    return read


def moment(text: str) -> datetime:
    """Return a moment; one without an offset is in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def one_of(*choices: str) -> Callable[[str], object]:
    """Return what reads one of some words, as its place."""
    return lambda text: choices.index(text)


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a name that can be read and stored."""
    # PostgreSQL refuses NUL in text, and no name that is stored has other control characters.
    if len(text) > longest or not is_readable(text):
        raise ValueError
    return text


def optional(about: str) -> Any:
    """Return the description of a parameter that need not be given, and then is None."""
    # A factory: the description need not tell a default that no query can spell.
    return Field(default_factory=lambda: None, description=about)
