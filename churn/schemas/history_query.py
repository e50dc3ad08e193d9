"""What /history may be asked, as the texts of a query: one model reads it, and makes its description."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, LiteralString
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from churn.schemas.identifier import IDENTIFIER_PATTERN, LONGEST_IDENTIFIER, UNSEEN, is_readable

LIMIT, MAX_LIMIT = 50, 200  # predictions on a page
LONGEST_NAME = 128  # characters

_NAME = WithJsonSchema({"type": "string", "pattern": f"^[^{UNSEEN}]{{1,{LONGEST_NAME}}}$"})
_MOMENT = WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]})


def _text(kind: LiteralString, read: Callable[[str], object]) -> BeforeValidator:
    """Return what reads a parameter's text; where `read` raises ValueError, `kind` is what is wrong."""

    def value_of(value: object) -> object:
        try:
            return read(value) if isinstance(value, str) else value
        except ValueError:
            raise PydanticCustomError(kind, kind) from None

    return BeforeValidator(value_of)


def _page_size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_LIMIT):
        raise ValueError
    return int(text)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _one_of(*choices: str) -> Callable[[str], object]:
    return lambda text: choices.index(text)


def _name(text: str, longest: int = LONGEST_NAME) -> str:
    # PostgreSQL refuses NUL in text, and no name that is stored has other control characters.
    if len(text) > longest or not is_readable(text):
        raise ValueError
    return text


def _identifier(text: str) -> str:
    return _name(text.strip(), LONGEST_IDENTIFIER)


def _all(about: str) -> Any:
    """Return the description of a filter; without it, all are let through."""
    # A factory: the description need not tell a default that no query can spell.
    return Field(default_factory=lambda: None, description=about)


class HistoryQuery(BaseModel):
    """Which predictions are asked for; None means all."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    limit: Annotated[int, _text("page_size", _page_size)] = Field(
        LIMIT, ge=1, le=MAX_LIMIT, description="predictions on the page"
    )
    before: Annotated[
        UUID | None, _text("prediction_id", UUID), WithJsonSchema({"type": "string", "format": "uuid"})
    ] = _all("only predictions older than this one: the `next` of the page before")
    user: Annotated[str | None, _text("name", _name), _NAME] = _all(
        "only those that this user or token asked for"
    )
    model: Annotated[str | None, _text("name", _name), _NAME] = _all("only those of the model of this tag")
    prediction: Annotated[
        Literal[0, 1] | None, _text("zero_or_one", _one_of("0", "1")), WithJsonSchema({"enum": [0, 1]})
    ] = _all("only those that flag (1), or do not (0)")
    since: Annotated[datetime | None, _text("moment", _moment), _MOMENT] = _all(
        "only those of this moment (UTC without an offset) and later"
    )
    until: Annotated[datetime | None, _text("moment", _moment), _MOMENT] = _all(
        "only those of before this moment"
    )
    employee_id: Annotated[
        str | None,
        _text("identifier", _identifier),
        WithJsonSchema({"type": "string", "pattern": IDENTIFIER_PATTERN}),
    ] = _all("only those of one employee")
    details: Annotated[bool, _text("true_or_false", _one_of("false", "true"))] = Field(
        default=False, description="with the record and the contributions"
    )
