"""Replay: logged predictions are made again by the same models, and must come out the same.

To the last digit, since the service computes one record at a time, just as here. Files are scored by whole
columns, with other machine instructions: their predictions must agree to the self-test's tolerance.
"""

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from churn.core.errors import ModelError
from churn.dictionary.dictionary import Dictionary
from churn.journal.operator_actions import SCORE
from churn.model import registry
from churn.model.scoring import Scorer
from churn.model.self_test import TOLERANCE
from churn.schemas.logged_prediction import LoggedPrediction

MOST_LISTED = 20  # differences
BY_COLUMN = frozenset({SCORE, "/predict_file"})  # the routes by which files are scored
RECORD = "record"  # the part that differs where the record cannot be scored at all


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A prediction that comes out differently, and in which parts; never their values."""

    id: uuid.UUID
    parts: tuple[str, ...]

    def __str__(self) -> str:
        """Return the mismatch as one line."""
        return f"{self.id}: {', '.join(self.parts)}"


@dataclass(slots=True)
class ReplayResult:
    """The predictions that a replay has compared so far; `differences` are the first MOST_LISTED.

    `missing` counts those of each model that this store cannot load. `failing` has the failures of each model
    that was used although it fails its self-test.
    """

    same: int = 0
    different: int = 0
    erased: int = 0
    differences: list[Mismatch] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    failing: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Replay:
    """Makes logged predictions again; each model is loaded once."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.result = ReplayResult()
        self._dictionary = dictionary
        self._scorers: dict[str, Scorer | None] = {}

    def add(self, predictions: Iterable[LoggedPrediction]) -> None:
        """Make each prediction again, by the same model, and compare every number."""
        for prediction in predictions:
            self._add(prediction)

    def _add(self, prediction: LoggedPrediction) -> None:
        if prediction.erased:
            self.result.erased += 1
        elif (scorer := self._scorer(prediction.model)) is None:
            self.result.missing[prediction.model] += 1
        elif parts := _differing(scorer, prediction):
            self.result.different += 1
            if len(self.result.differences) < MOST_LISTED:
                self.result.differences.append(Mismatch(prediction.prediction_id, parts))
        else:
            self.result.same += 1

    def _scorer(self, tag: str) -> Scorer | None:
        if tag not in self._scorers:
            self._scorers[tag] = self._load(tag)
        return self._scorers[tag]

    def _load(self, tag: str) -> Scorer | None:
        try:
            model = registry.load(tag, self._dictionary)
        except ModelError:
            return None
        if model.tag != tag:  # an alias such as "churn:latest" is no model's own tag
            return None
        if not model.self_test.passed:
            self.result.failing[tag] = model.self_test.failures
        return Scorer(model)


def _differing(scorer: Scorer, prediction: LoggedPrediction) -> tuple[str, ...]:
    if prediction.record is None:
        return (RECORD,)
    try:
        again = scorer.score_record(prediction.record)
    except (KeyError, TypeError, ValueError):  # a field is missing, or of another type
        return (RECORD,)
    tolerance = TOLERANCE if prediction.route in BY_COLUMN else 0.0
    is_near = abs(again.probability - again.threshold) < tolerance
    same = {
        "prediction": prediction.prediction == again.prediction or is_near,
        "probability": _agree(prediction.probability, again.probability, tolerance),
        "threshold": prediction.threshold == again.threshold,
        "base value": prediction.base_value == again.base_value,
        "values": prediction.values == again.values,
        "contributions": prediction.contributions is not None
        and prediction.contributions.keys() == again.contributions.keys()
        and all(
            _agree(prediction.contributions[n], part, tolerance) for n, part in again.contributions.items()
        ),
    }
    return tuple(part for part, is_same in same.items() if not is_same)


def _agree(then: object, now: float, tolerance: float) -> bool:
    return isinstance(then, int | float) and abs(then - now) <= tolerance
