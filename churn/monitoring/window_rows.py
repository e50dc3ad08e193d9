"""Which of a period's predictions make a window: the last one of each employee, as they are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from churn.records.prediction_sample import SampledPrediction
from churn.schemas.drift_query import MOST_ROWS
from churn.schemas.drift_report import Selection

_COUNTED = ("rows", "repeats", "erased", "hypothetical", "unreadable", "nameless")


class WindowRows:
    """Chooses rows among predictions by a model of some fields, and counts what it leaves out.

    The predictions come the newest first, and at most `last` become rows.
    """

    def __init__(self, fields: Collection[str], last: int | None = None) -> None:
        self._fields, self._last = fields, last or MOST_ROWS
        self._seen: set[str] = set()
        self._counts: dict[str, Any] = dict.fromkeys(_COUNTED, 0)
        self._read = 0
        self._first: datetime | None = None
        self._newest: datetime | None = None

    def choose(self, predictions: Iterable[SampledPrediction]) -> Iterator[SampledPrediction]:
        """Yield the rows of the first MOST_ROWS predictions."""
        for prediction in islice(predictions, MOST_ROWS):
            if self._counts["rows"] == self._last:
                return
            self._read += 1
            kind = self._kind(prediction)
            self._counts[kind] += 1
            if kind == "rows":
                self._counts["nameless"] += prediction.employee_id is None
                self._first, self._newest = prediction.at, self._newest or prediction.at
                yield prediction

    def selection(self, predictions: int | None = None, *, is_sample: bool = False) -> Selection:
        """Return what was chosen so far, of so many predictions; by default, of those that were read."""
        total = self._read if predictions is None else predictions
        return Selection(
            predictions=total, is_sample=is_sample, first=self._first, last=self._newest, **self._counts
        )

    def _kind(self, prediction: SampledPrediction) -> str:
        """Return as what a prediction counts."""
        if prediction.erased:
            return "erased"
        if prediction.is_hypothetical:
            return "hypothetical"
        if prediction.employee_id in self._seen:
            return "repeats"
        if prediction.probability is None or not self._is_whole(prediction.values, prediction.contributions):
            return "unreadable"
        if prediction.employee_id is not None:
            self._seen.add(prediction.employee_id)
        return "rows"

    def _is_whole(self, values: Mapping[str, Any] | None, contributions: Mapping[str, Any] | None) -> bool:
        """Return whether all fields have a value and a contribution; somebody may have changed a row."""
        if values is None or contributions is None:
            return False
        return all(
            name in values and isinstance(contributions.get(name), int | float) for name in self._fields
        )
