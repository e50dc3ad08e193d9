"""What /history may be asked, as the texts of a query: one model reads it, and makes its description."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from churn.schemas.identifier import IDENTIFIER_PATTERN, LONGEST_IDENTIFIER
from churn.schemas.query_texts import MOMENT, NAME, moment, name, one_of, optional, text, whole

LIMIT, MAX_LIMIT = 50, 200  # predictions on a page


def _identifier(text: str) -> str:
    return name(text.strip(), LONGEST_IDENTIFIER)


class HistoryQuery(BaseModel):
    """Which predictions are asked for; None means all."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    limit: Annotated[int, text("page_size", whole(MAX_LIMIT))] = Field(
        LIMIT, ge=1, le=MAX_LIMIT, description="predictions on the page"
    )
    before: Annotated[
        UUID | None, text("prediction_id", UUID), WithJsonSchema({"type": "string", "format": "uuid"})
    ] = optional("only predictions older than this one: the `next` of the page before")
    user: Annotated[str | None, text("name", name), NAME] = optional(
        "only those that this user or token asked for"
    )
    model: Annotated[str | None, text("name", name), NAME] = optional("only those of the model of this tag")
    prediction: Annotated[
        Literal[0, 1] | None, text("zero_or_one", one_of("0", "1")), WithJsonSchema({"enum": [0, 1]})
    ] = optional("only those that flag (1), or do not (0)")
    since: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "only those of this moment (UTC without an offset) and later"
    )
    until: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "only those of before this moment"
    )
    employee_id: Annotated[
        str | None,
        text("identifier", _identifier),
        WithJsonSchema({"type": "string", "pattern": IDENTIFIER_PATTERN}),
    ] = optional("only those of one employee")
    details: Annotated[bool, text("true_or_false", one_of("false", "true"))] = Field(
        default=False, description="with the record and the contributions"
    )
