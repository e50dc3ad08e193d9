"""Which of a period's logged predictions make a window: the last one of each employee, as they are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from churn.schemas.drift_query import MOST_ROWS
from churn.schemas.drift_report import Selection
from churn.schemas.logged_prediction import LoggedPrediction

# Of a what-if, the second input is nobody: it is what somebody would be after some changes.
WHAT_IFS = frozenset({"/what_if", "/app/what-if", "/ui/gradio_api/run/predict"})

_COUNTED = ("rows", "repeats", "erased", "hypothetical", "unreadable", "nameless")


@dataclass(frozen=True, slots=True)
class Row:
    """What a window takes of one prediction."""

    values: dict[str, Any]
    contributions: dict[str, float]
    probability: float
    flagged: bool


class WindowRows:
    """Chooses rows among predictions by a model of some fields, and counts what it leaves out.

    The predictions come the newest first, and at most `last` become rows.
    """

    def __init__(self, fields: Collection[str], last: int | None = None) -> None:
        self._fields, self._last = fields, last or MOST_ROWS
        self._seen: set[str] = set()
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._is_cut = False
        self._first: datetime | None = None
        self._newest: datetime | None = None

    def choose(self, predictions: Iterable[LoggedPrediction]) -> Iterator[Row]:
        """Yield the rows of the first MOST_ROWS predictions."""
        for read, prediction in enumerate(predictions):
            if self._counts["rows"] == self._last:
                return
            if read == MOST_ROWS:
                self._is_cut = True
                return
            row = self._row(prediction)
            if isinstance(row, str):
                self._counts[row] += 1
                continue
            self._counts["rows"] += 1
            self._counts["nameless"] += prediction.employee_id is None
            self._first, self._newest = prediction.at or self._first, self._newest or prediction.at
            yield row

    @property
    def selection(self) -> Selection:
        """What was chosen so far."""
        return Selection(**self._counts, is_cut=self._is_cut, first=self._first, last=self._newest)

    def _row(self, prediction: LoggedPrediction) -> Row | str:
        """Return the row of a prediction, or as what it is left out."""
        if prediction.erased:
            return "erased"
        if prediction.position and prediction.route in WHAT_IFS:
            return "hypothetical"
        if prediction.employee_id in self._seen:
            return "repeats"
        values, contributions = prediction.values, prediction.contributions
        if values is None or prediction.probability is None or not self._are_numbers(values, contributions):
            return "unreadable"
        if prediction.employee_id is not None:
            self._seen.add(prediction.employee_id)
        return Row(values, contributions, prediction.probability, bool(prediction.prediction))

    def _are_numbers(self, values: Mapping[str, Any], contributions: Any) -> bool:
        """Return whether all fields have a value and a contribution; somebody may have changed a row."""
        return isinstance(contributions, dict) and all(
            name in values and isinstance(contributions.get(name), int | float) for name in self._fields
        )
