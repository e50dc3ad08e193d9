"""How good predictions turned out to be, by what has become of the people since."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.monitoring import calibration, ranking
from churn.monitoring.censoring import FollowUp
from churn.monitoring.interval import wilson
from churn.schemas.performance_report import CalibrationGroup, Interval, PerformanceFigures, Refusal, Slice

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FIFTHS = 5
LEAST_LEAVERS = 20  # fewer say nothing: the intervals would hold next to all that there is


@dataclass(frozen=True)
class Predicted:
    """Predictions, one an employee and horizon: probabilities, who was flagged, what has become of them."""

    probabilities: Floats
    flagged: Flags
    follow_up: FollowUp

    def of(self, chosen: Flags | NDArray[np.intp]) -> "Predicted":
        """Return some of them."""
        follow_up = FollowUp(self.follow_up.days[chosen], self.follow_up.left[chosen], self.follow_up.horizon)
        return Predicted(self.probabilities[chosen], self.flagged[chosen], follow_up)

    @property
    def leavers(self) -> int:
        """How many left within the horizon."""
        return int(self.follow_up.leavers.sum())

    @property
    def stayers(self) -> int:
        """How many are known to have stayed for all of it."""
        return int(self.follow_up.stayers.sum())


def refusal(predicted: Predicted) -> Refusal | None:
    """Return why nothing can be said: too few left, or nobody was followed to the end."""
    if predicted.leavers < LEAST_LEAVERS:
        return "leavers"
    return None if predicted.stayers else "stayers"


def slice_of(predicted: Predicted, field: str | None = None, name: str | None = None) -> Slice:
    """Return the figures of some predictions, or why there are none."""
    reason = refusal(predicted)
    figures = None if reason else measure(predicted)
    rows = len(predicted.probabilities)
    return Slice(rows, predicted.leavers, predicted.stayers, figures, reason, field, name)


def measure(predicted: Predicted) -> PerformanceFigures:
    """Return the figures, however wide their intervals.

    Raises:
        ValueError: nobody has left, or nobody was followed for the horizon.
    """
    scores, follow_up = predicted.probabilities, predicted.follow_up
    left, weights = follow_up.leavers, follow_up.weights
    rate = _rate(follow_up)
    expected = float(scores.mean())
    return PerformanceFigures(
        rate=rate,
        excess=Interval(rate.value - expected, rate.low - expected, rate.high - expected),
        roc_auc=ranking.roc_auc(scores, left, weights),
        average_precision=ranking.average_precision(scores, left, weights),
        recall=share(predicted.flagged, weights * left),
        precision=share(left, weights * predicted.flagged) if (weights * predicted.flagged).any() else None,
        slope=calibration.slope(scores, left, weights),
    )


def calibration_groups(predicted: Predicted) -> Iterator[CalibrationGroup]:
    """Yield fifths of the predictions, the lowest first: none where nothing can be said of all."""
    if refusal(predicted) is None:
        for rows in np.array_split(np.argsort(predicted.probabilities, kind="stable"), FIFTHS):
            group = predicted.of(rows)
            yield CalibrationGroup(len(rows), float(group.probabilities.mean()), _rate(group.follow_up))


def _rate(follow_up: FollowUp) -> Interval:
    rate, variance = follow_up.rate()
    return wilson(rate, rate * (1 - rate) / variance if variance else len(follow_up.days))


def share(of_them: Flags, weights: Floats) -> Interval:
    """Return the weighted share; its interval is of as many people as the weights are worth."""
    return wilson(
        float(np.average(of_them, weights=weights)), float(weights.sum() ** 2 / np.square(weights).sum())
    )
