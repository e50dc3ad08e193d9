"""How good predictions turned out to be, by what has become of the people since."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.monitoring import calibration, ranking
from churn.monitoring.censoring import FollowUp
from churn.monitoring.interval import Interval, wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_LEAVERS = 20  # fewer say nothing: the intervals would hold next to all that there is


@dataclass(frozen=True)
class Predicted:
    """Predictions, one an employee and horizon: probabilities, who was flagged, and what has become of them."""

    probabilities: Floats
    flagged: Flags
    follow_up: FollowUp

    def of(self, chosen: Flags) -> "Predicted":
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


@dataclass(frozen=True, slots=True)
class PerformanceFigures:
    """What the outcomes say of the predictions, each figure with a 95 % interval.

    `rate` is the share that left within the horizon, and `excess` by how much it is above the mean prediction.
    """

    rate: Interval
    excess: Interval
    roc_auc: Interval
    average_precision: Interval
    recall: Interval
    precision: Interval | None
    slope: Interval | None


def refusal(predicted: Predicted) -> str | None:
    """Return why nothing can be said: too few left, or nobody was followed to the end."""
    if predicted.leavers < LEAST_LEAVERS:
        return "leavers"
    return None if predicted.stayers else "stayers"


def measure(predicted: Predicted) -> PerformanceFigures:
    """Return the figures.

    Raises:
        ValueError: too few have left, or nobody was followed for the horizon.
    """
    if (reason := refusal(predicted)) is not None:
        raise ValueError(f"too few {reason}")
    scores, follow_up = predicted.probabilities, predicted.follow_up
    left, weights = follow_up.leavers, follow_up.weights
    rate = _rate(follow_up)
    expected = float(scores.mean())
    return PerformanceFigures(
        rate=rate,
        excess=Interval(rate.value - expected, rate.low - expected, rate.high - expected),
        roc_auc=ranking.roc_auc(scores, left, weights),
        average_precision=ranking.average_precision(scores, left, weights),
        recall=_share(predicted.flagged, weights * left),
        precision=_share(left, weights * predicted.flagged) if (weights * predicted.flagged).any() else None,
        slope=calibration.slope(scores, left, weights),
    )


def _rate(follow_up: FollowUp) -> Interval:
    rate, variance = follow_up.rate()
    return wilson(rate, rate * (1 - rate) / variance if variance else len(follow_up.days))


def _share(of_them: Flags, weights: Floats) -> Interval:
    """Return the weighted share; its interval is of as many people as the weights are worth."""
    return wilson(
        float(np.average(of_them, weights=weights)), float(weights.sum() ** 2 / np.square(weights).sum())
    )
