"""What /performance may be asked, as the texts of a query: one model reads it, and makes its description."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from churn.schemas.query_texts import NAME, name, optional, text, whole

YEAR, MOST_DAYS = 365, 3_650  # of a horizon: where a model declares none, and at most


class PerformanceQuery(BaseModel):
    """Whose predictions are held against outcomes, and over how long."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    model: Annotated[str | None, text("name", name), NAME] = optional(
        "the tag of a model in the store; without it, the one that serves"
    )
    horizon: Annotated[int | None, text("horizon", whole(MOST_DAYS))] = Field(
        default_factory=lambda: None,
        ge=1,
        le=MOST_DAYS,
        description="within how many days people left; without it, the model's own horizon, or 365",
    )
