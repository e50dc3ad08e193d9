"""How people oversee the model: what GET /oversight answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from churn.schemas.performance_report import Interval

# unreviewed: nobody reviews; unanimous: nobody ever disagrees; too_few: not enough reviews to tell; overseen:
# people disagree at times.
OversightVerdict = Literal["empty", "unreviewed", "too_few", "unanimous", "overseen"]
ALARMS: tuple[OversightVerdict, ...] = ("unreviewed", "unanimous")


def _about(text: str) -> str:
    return Field(description=text)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often people disagree with some of the predictions."""

    reviewed: Annotated[int, _about("predictions; of several reviews, the last counts")]
    disagreed: int
    share: Annotated[Interval | None, _about("null where nothing was reviewed")]
    field: Annotated[str | None, _about("whose groups; null: by the leading reason, or by the answer")] = None
    name: Annotated[str | None, _about("the group, the leading reason's field, or the answer")] = None


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Who was right, about people of whom it is known by now."""

    rows: Annotated[int, _about("reviewed predictions, one an employee and horizon")]
    known: Annotated[int, _about("those whose end is known; they stand for the others")]
    people: Annotated[Interval, _about("share in which the people were right")]
    model: Annotated[Interval, _about("share in which the model was right")]
    disputed: Annotated[int, _about("known predictions with which people had disagreed")]
    people_where_disputed: Annotated[
        Interval | None, _about("share of these in which the people were right; null: there are none")
    ]


class OversightReport(BaseModel):
    """How people oversee one model."""

    model: str
    verdict: OversightVerdict
    summary: str = Field(description="in a sentence")
    notes: list[str] = Field(description="what else must be known, the most important first")
    since: datetime | None
    until: datetime | None
    horizon_days: int
    predictions: int = Field(description="in this period")
    enough: int = Field(description="reviews from which on it means something that nobody disagrees")
    reviewers: int = Field(description="people and programs that reviewed")
    whole: Disagreement
    by_answer: list[Disagreement] = Field(description="of those flagged, and of the others")
    by_field: list[Disagreement] = Field(description="by the field of the leading reason")
    by_group: list[Disagreement]
    hindsight: Hindsight | None = Field(
        description="over all of the model's reviews; null where no outcome is known"
    )
