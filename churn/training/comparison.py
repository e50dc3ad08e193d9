"""Two models on the same labelled employees: their figures, and which differences are beyond chance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.utils import resample

from churn.core.errors import TrainingError
from churn.training.evaluation import calibration_error, score, score_decisions
from churn.training.thresholds import HasLeft, Probabilities

RESAMPLES = 300


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of the employees: a probability each, and the threshold that it decides by."""

    probabilities: Probabilities
    threshold: float


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """One figure of both models, and the 95 % bootstrap interval of the second minus the first."""

    first: float
    second: float
    low: float
    high: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def compare(
    has_left: HasLeft,
    first: Scores,
    second: Scores,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[int, int], None],
) -> Mapping[str, MetricDifference]:
    """Return each figure's difference; employees are drawn in pairs, the same for both models.

    Raises:
        TrainingError: the employees are all of one kind.
    """
    if has_left.all() or not has_left.any():
        raise TrainingError(
            "all these employees have left, or none: expected both, or nothing can be measured"
        )
    rows = np.arange(len(has_left))
    draws = []
    for number in range(resamples):
        drawn = resample(rows, random_state=seed + number, stratify=has_left)
        before, after = (_figures(has_left, scores, drawn) for scores in (first, second))
        draws.append([after[name] - before[name] for name in before])
        progress(number + 1, resamples)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    before, after = _figures(has_left, first, rows), _figures(has_left, second, rows)
    return {
        name: MetricDifference(before[name], after[name], float(low[place]), float(high[place]))
        for place, name in enumerate(before)
    }


def _figures(has_left: HasLeft, scores: Scores, rows: np.ndarray) -> dict[str, float]:
    truth, probabilities = has_left[rows], scores.probabilities[rows]
    return {
        **score(truth, probabilities),
        "calibration_error": calibration_error(truth, probabilities),
        **score_decisions(truth, probabilities >= scores.threshold),
    }
