"""What a look at the drift shows: what GET /drift answers, and `churn monitor drift --json` prints."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Verdict = Literal["no_reference", "empty", "too_few", "calm", "drift"]


def _about(text: str) -> str:
    return Field(description=text)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure in the reference and in the window, and its change with a 95% interval."""

    reference: float
    window: float
    change: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """How one field has moved."""

    name: str
    p_value: Annotated[float | None, _about("of a two-sample χ² test on bins; null where rows are too few")]
    alarm: Annotated[bool, _about("whether it counts, among all fields and all looks of a year")]
    psi: Annotated[float, _about("population stability index: a size, and no alarm")]
    unknown_before: Annotated[float, _about("share of the reference's rows")]
    unknown: Annotated[float, _about("share of the window's rows")]
    beyond: Annotated[float, _about("share of the window's rows outside of the range seen in training")]
    contribution: Annotated[
        Change, _about("mean contribution, log-odds; the changes add up to that of log_odds")
    ]


@dataclass(frozen=True, slots=True)
class DriftFigures:
    """What the tests of one look show; null where there are no rows."""

    rows: int
    reference_rows: int
    log_odds: Annotated[Change | None, _about("mean log-odds of leaving")] = None
    log_odds_p_value: Annotated[float | None, _about("of a z test with both samples' error")] = None
    log_odds_alarm: bool = False
    flagged: Annotated[Change | None, _about("share at or above the threshold: how much it matters")] = None
    detectable: Annotated[
        float | None, _about("the change of the mean log-odds that so many rows show four times in five")
    ] = None
    enough_rows: Annotated[
        int | None, _about("how many rows show `enough_change`; null where the reference is too small")
    ] = None
    enough_change: Annotated[float, _about("half a standard deviation of the log-odds")] = 0.0
    fields: Annotated[tuple[FieldDrift, ...], _about("in the model's order")] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which logged predictions a window is made of: the last one of each employee, by one model."""

    rows: Annotated[int, _about("that are compared")] = 0
    repeats: Annotated[int, _about("earlier predictions of the same employees, left out")] = 0
    erased: Annotated[int, _about("of people who were erased, left out")] = 0
    hypothetical: Annotated[int, _about("what-ifs, left out")] = 0
    unreadable: Annotated[int, _about("without readable values, left out")] = 0
    nameless: Annotated[int, _about("rows without an employee's id, whose repeats cannot be told")] = 0
    predictions: Annotated[int, _about("of this model in the window; with `last`, those that were read")] = 0
    is_sample: Annotated[bool, _about("whether they were too many, and a random sample was read")] = False
    first: Annotated[datetime | None, _about("when the oldest row was predicted")] = None
    last: Annotated[datetime | None, _about("when the newest row was predicted")] = None


class DriftReport(BaseModel):
    """How the people whom a model predicts about differ from those it learned from."""

    model: str
    verdict: Verdict
    summary: str = Field(description="the verdict in a sentence")
    notes: list[str] = Field(description="what else must be known, the most important first")
    since: datetime | None = Field(description="the window's first moment; null: the newest rows, by count")
    until: datetime | None = Field(description="the first moment after the window; null: none")
    looks: int = Field(description="looks a year among which false alarms are shared out")
    horizon_days: int | None = Field(description="within which people left; null where it is not known")
    selection: Selection
    other_models: list[str] = Field(description="models that predicted in the window, too")
    figures: DriftFigures | None = Field(description="null where the model has no reference")
