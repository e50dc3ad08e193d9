"""A weekly report: what has moved, who has left, what people said, and what the journal took in."""

from dataclasses import dataclass
from datetime import datetime

from churn.schemas.drift_report import DriftReport
from churn.schemas.oversight_report import OversightReport
from churn.schemas.performance_report import PerformanceReport


@dataclass(frozen=True, slots=True)
class JournalCounts:
    """What the journal took in within a period."""

    predictions: int
    reviews: int
    outcomes: int
    calls: int
    refused: int  # 401, 403, 429
    failed: int  # 500 and more


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """The reports of one period, all of one model and in one language; the journal's counts are of all."""

    since: datetime
    until: datetime
    drift: DriftReport
    performance: PerformanceReport
    oversight: OversightReport
    journal: JournalCounts
