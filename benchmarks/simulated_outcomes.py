"""Outcomes whose truth is known: how far figures of performance are off, and how often intervals hold it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from churn.monitoring.censoring import FollowUp
from churn.monitoring.performance import Predicted, measure
from churn.schemas.performance_report import Interval

HORIZON, PERIOD = 365.0, 540.0  # days: of a prediction, and in which predictions are made
THRESHOLD = 0.25
POPULATION = 1_000_000
# Predictions, and how many people leave of them within the horizon and until the day of the look, on average.
SIZES = {212: 24, 450: 51, 1_000: 113}
MOST_BIAS, LEAST_COVERAGE = 0.01, 0.93
BIASED = ("rate", "roc_auc", "recall")  # what the first bar is about

Random = np.random.Generator
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure over all runs: its mean minus the truth, its spread, the share of intervals that hold it."""

    truth: float
    bias: float
    spread: float
    coverage: float


def simulate(runs: int, random: Random) -> Iterator[tuple[int, Mapping[str, Estimate]]]:
    """Yield the estimates for each of the SIZES."""
    truth = _truth(random)
    for size in SIZES:
        found: dict[str, list[Interval]] = {name: [] for name in truth}
        for _ in range(runs):
            figures = measure(_look(size, random))
            for name, intervals in found.items():
                intervals.append(getattr(figures, name))
        yield size, {name: _estimate(truth[name], intervals) for name, intervals in found.items()}


def _estimate(truth: float, intervals: list[Interval]) -> Estimate:
    values = np.array([interval.value for interval in intervals])
    holds = [interval.low <= truth <= interval.high for interval in intervals]
    return Estimate(truth, float(values.mean() - truth), float(values.std()), float(np.mean(holds)))


def _look(size: int, random: Random) -> Predicted:
    """Return predictions over the PERIOD, and what is known of them at its end."""
    probabilities, after = _people(size, random)
    followed = PERIOD - random.uniform(0, PERIOD, size)
    days = np.minimum(after, followed)
    return Predicted(probabilities, probabilities >= THRESHOLD, FollowUp(days, after <= followed, HORIZON))


def _people(size: int, random: Random) -> tuple[Floats, Floats]:
    """Return calibrated probabilities to leave within the horizon, and after how many days each leaves."""
    probabilities = 1 / (1 + np.exp(-random.normal(-2.1, 1.3, size)))
    hazards = -np.log1p(-probabilities) / HORIZON
    return probabilities, random.exponential(1 / hazards)


def _truth(random: Random) -> dict[str, float]:
    probabilities, after = _people(POPULATION, random)
    left, flagged = after <= HORIZON, probabilities >= THRESHOLD
    return {
        "rate": float(left.mean()),
        "roc_auc": float(roc_auc_score(left, probabilities)),
        "average_precision": float(average_precision_score(left, probabilities)),
        "recall": float(flagged[left].mean()),
        "precision": float(left[flagged].mean()),
        "slope": 1.0,
    }
