"""What /oversight may be asked, as the texts of a query: one model reads it, and makes its description."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from churn.schemas.query_texts import MOMENT, NAME, moment, name, optional, text


class OversightQuery(BaseModel):
    """Whose predictions, and of which period; without bounds, of the last 90 days."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    since: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "only predictions of this moment (UTC without an offset) and later; without it and without `until`, "
        "of the last 90 days"
    )
    until: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "only predictions of before this moment"
    )
    model: Annotated[str | None, text("name", name), NAME] = optional(
        "the tag of a model in the store; without it, the one that serves"
    )
