"""What /drift may be asked, as the texts of a query: one model reads it, and makes its description."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from churn.schemas.query_texts import MOMENT, NAME, moment, name, optional, text, whole

MOST_ROWS = 10_000  # that a look reads: more show hardly more, since the reference is a sample, too
LOOKS, MOST_LOOKS = 52, 366  # a year: one a week, one a day


class DriftQuery(BaseModel):
    """Which window is asked for; without bounds or a count, the last seven days."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    since: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "only predictions of this moment (UTC without an offset) and later; without it, without `until` and "
        "without `last`, of the last seven days"
    )
    until: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "only predictions of before this moment"
    )
    last: Annotated[int | None, text("row_count", whole(MOST_ROWS))] = Field(
        default_factory=lambda: None,
        ge=1,
        le=MOST_ROWS,
        description="only so many employees, those predicted about last",
    )
    model: Annotated[str | None, text("name", name), NAME] = optional(
        "the tag of a model in the store; without it, the one that serves"
    )
    looks: Annotated[int, text("looks", whole(MOST_LOOKS))] = Field(
        LOOKS, ge=1, le=MOST_LOOKS, description="looks a year, which share the chance of a false alarm"
    )
