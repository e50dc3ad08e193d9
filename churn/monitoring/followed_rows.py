"""Which predictions are held against outcomes: one an employee and horizon."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from churn.monitoring.censoring import FollowUp
from churn.monitoring.performance import Predicted
from churn.records.followed import FollowedPrediction
from churn.schemas.outcome import Outcome


@dataclass
class FollowedRows:
    """Chooses among predictions that come employee by employee, each one's the oldest first.

    A prediction counts for the whole horizon: another of the same person within it would say the same twice.
    """

    outcomes: Mapping[str, Outcome]
    horizon: int
    repeats: int = 0
    late: int = 0
    employees: int = 0
    ids: list[UUID] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    records: list[Mapping[str, Any]] = field(default_factory=list)
    _chosen: list[tuple[float, bool, int, bool]] = field(default_factory=list)
    _last: tuple[str, date] | None = None

    def choose(self, predictions: Iterable[FollowedPrediction]) -> None:
        """Take those that count."""
        for prediction in predictions:
            outcome = self.outcomes[prediction.employee_id]
            end = outcome.left_on or outcome.known_until
            if end < prediction.day:
                self.late += 1
            elif self._is_repeat(prediction):
                self.repeats += 1
            else:
                self._take(prediction, (end - prediction.day).days, left=outcome.left_on is not None)

    def _is_repeat(self, prediction: FollowedPrediction) -> bool:
        if self._last is None or self._last[0] != prediction.employee_id:
            return False
        return prediction.day < self._last[1] + timedelta(days=self.horizon)

    def _take(self, prediction: FollowedPrediction, followed: int, *, left: bool) -> None:
        self.employees += self._last is None or self._last[0] != prediction.employee_id
        self._last = prediction.employee_id, prediction.day
        self.ids.append(prediction.id)
        self.days.append(prediction.day)
        self.records.append(prediction.record)
        self._chosen.append((prediction.probability, prediction.flagged, followed, left))

    @property
    def predicted(self) -> Predicted:
        """The predictions that count."""
        columns = np.array(self._chosen, dtype=np.float64).reshape(-1, 4)
        follow_up = FollowUp(columns[:, 2], columns[:, 3] > 0, float(self.horizon))
        return Predicted(columns[:, 0], columns[:, 1] > 0, follow_up)
