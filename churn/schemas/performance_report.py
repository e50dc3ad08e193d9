"""How good predictions turned out to be: what GET /performance answers."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Refusal = Literal["leavers", "stayers"]


def _about(text: str) -> str:
    return Field(description=text)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PerformanceFigures:
    """What the outcomes say of predictions."""

    rate: Annotated[Interval, _about("share that left within the horizon")]
    excess: Annotated[Interval, _about("that share minus the mean prediction; above 0, more left")]
    roc_auc: Interval
    average_precision: Interval
    recall: Annotated[Interval, _about("share flagged, of those who left")]
    precision: Annotated[Interval | None, _about("share that left, of those flagged; null: nobody was")]
    slope: Annotated[Interval | None, _about("of the outcome on the predicted log-odds; 1 is calibrated")]


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the predictions: all, those of a month, or those about a group."""

    rows: Annotated[int, _about("predictions, one an employee and horizon")]
    leavers: Annotated[int, _about("who left within the horizon")]
    stayers: Annotated[int, _about("who are known to have stayed for all of it")]
    figures: Annotated[PerformanceFigures | None, _about("null where too little is known")]
    refusal: Annotated[Refusal | None, _about("of whom too few are known")]
    field: Annotated[str | None, _about("by whose groups; null: by month, or all")] = None
    name: Annotated[str | None, _about("the month, or the group; null: all")] = None


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """People whose predictions are alike: the mean prediction, and the share that left."""

    rows: int
    predicted: float
    observed: Interval


class PerformanceReport(BaseModel):
    """How good one model's predictions turned out to be."""

    model: str
    horizon_days: int
    summary: str = Field(description="in a sentence")
    notes: list[str] = Field(description="what else must be known, the most important first")
    employees: int = Field(description="about whom the model has predicted")
    known: int = Field(description="those of them with an outcome")
    repeats: int = Field(description="predictions within the horizon of an earlier one, left out")
    late: int = Field(description="predictions after what is known of the employee ends, left out")
    whole: Slice
    calibration: list[CalibrationGroup] = Field(
        description="fifths of the predictions, the lowest first; empty where too little is known"
    )
    by_month: list[Slice]
    by_group: list[Slice]
