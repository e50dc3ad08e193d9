"""Which period the weekly report is of, as the texts of a query."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from churn.schemas.query_texts import MOMENT, NAME, moment, name, optional, text


class WeeklyQuery(BaseModel):
    """Of which period, and whose predictions; without bounds, of the last seven days."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    since: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "from this moment on; without it, the seven days before `until`"
    )
    until: Annotated[datetime | None, text("moment", moment), MOMENT] = optional(
        "before this moment; without it, until now"
    )
    model: Annotated[str | None, text("name", name), NAME] = optional(
        "the tag of a model in the store; without it, the one that serves"
    )
