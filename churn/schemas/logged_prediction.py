"""One logged prediction, as pages, streams, exports and replays read it back from the journal."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field, RootModel

from churn.schemas.bands import Band
from churn.schemas.caller import Caller, Who
from churn.schemas.review import LoggedReview

_DETAILS = {"record", "contributions", "base_value", "reviews"}
_NOT_ON_PAGES = Field(exclude=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedPrediction:
    """A prediction as the journal has it; the last four only with `details=true`."""

    # Whatever is None was erased where `erased` says so; if not, it is missing or cannot be read.
    prediction_id: UUID
    request_id: UUID
    at: datetime | None
    caller: Who
    route: str | None
    model: str
    employee_id: Annotated[
        str | None, Field(description="as stored: a keyed hash where ids are pseudonymized")
    ]
    prediction: Annotated[Literal[0, 1] | None, Field(description="null where the person was erased")]
    probability: float | None
    threshold: float | None
    band: Band | None
    erased: bool
    record: Annotated[dict[str, Any] | None, Field(description="the cleaned values")] = None
    contributions: Annotated[Any, Field(description="log-odds by field")] = None
    base_value: float | None = None
    reviews: Annotated[list[LoggedReview], Field(description="the oldest first")] = field(
        default_factory=list
    )
    values: Annotated[dict[str, Any] | None, _NOT_ON_PAGES] = None  # what the model saw
    position: Annotated[int | None, _NOT_ON_PAGES] = None  # in the batch, from 0
    method: Annotated[str | None, _NOT_ON_PAGES] = None
    status: Annotated[int | None, _NOT_ON_PAGES] = None
    duration_ms: Annotated[float | None, _NOT_ON_PAGES] = None
    caller_id: Annotated[UUID | None, _NOT_ON_PAGES] = None

    def is_of(self, caller: Caller) -> bool:
        """Return whether a caller asked for it; callers of the environment may have no id."""
        same = (self.caller.kind, self.caller.name) == (caller.kind, caller.name)
        return same and (caller.id is None or self.caller_id in (None, caller.id))


class HistoryPage(BaseModel):
    """Predictions, newest first, and where the next page begins."""

    predictions: list[LoggedPrediction]
    next: UUID | None = Field(description="the `before` of the next page; null on the last")

    def json_bytes(self, *, details: bool) -> bytes:
        """Return the page as it is sent, with or without the details of each prediction."""
        left_out = None if details else {"predictions": {"__all__": _DETAILS}}
        return _json(self.model_dump(exclude=left_out, warnings=False))


class OnePrediction(RootModel[LoggedPrediction]):
    """One prediction as the journal has it, with its details."""

    def json_bytes(self) -> bytes:
        """Return the prediction as it is sent."""
        return _json(self.model_dump(warnings=False))


def _json(content: dict[str, Any]) -> bytes:
    # Not checked again: rows that somebody has tampered with are shown as they are.
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)
