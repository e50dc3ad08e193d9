"""The decision threshold and the policies that choose one.

A policy is told who left and with what probability, for employees whom the model has not seen, and
returns the probability from which one is said to leave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix_at_thresholds

from churn.core.errors import TrainingError

HasLeft = NDArray[np.bool_]
Probabilities = NDArray[np.float64]
Counts = NDArray[np.float64]


class Policy(Protocol):
    """What a threshold is chosen for."""

    @property
    def name(self) -> str:
        """Return the policy in one word with its numbers, as `f2` or `capacity:60`."""

    def choose(self, has_left: HasLeft, probabilities: Probabilities) -> float:
        """Return the threshold for these employees."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The probability from which an employee is said to leave, and why it is that one."""

    value: float
    policy: str


@dataclass(frozen=True, slots=True)
class FBeta:
    """The largest F-beta: recall counts `beta` times as much as precision."""

    beta: float = 2.0

    @property
    def name(self) -> str:
        """Return `f` and beta."""
        return f"f{self.beta:g}"

    def choose(self, has_left: HasLeft, probabilities: Probabilities) -> float:
        """Return the threshold with the largest F-beta."""

        def score(_: Counts, fps: Counts, fns: Counts, tps: Counts) -> Counts:
            return (1 + self.beta**2) * tps / ((1 + self.beta**2) * tps + self.beta**2 * fns + fps)

        return _largest(has_left, probabilities, score)


@dataclass(frozen=True, slots=True)
class BalancedAccuracy:
    """The largest mean of the two classes' recalls."""

    name: str = "balanced_accuracy"

    def choose(self, has_left: HasLeft, probabilities: Probabilities) -> float:
        """Return the threshold with the largest balanced accuracy."""

        def score(tns: Counts, fps: Counts, fns: Counts, tps: Counts) -> Counts:
            return (tps / (tps + fns) + tns / (tns + fps)) / 2

        return _largest(has_left, probabilities, score)


@dataclass(frozen=True, slots=True)
class CostRatio:
    """The least expected cost, where a missed departure costs `miss` and a false alarm `alarm`.

    For calibrated probabilities that is alarm / (alarm + miss), whatever the employees (C. Elkan,
    "The foundations of cost-sensitive learning", IJCAI 2001).
    """

    miss: float
    alarm: float

    @property
    def name(self) -> str:
        """Return the two costs."""
        return f"cost:{self.miss:g}:{self.alarm:g}"

    def choose(self, has_left: HasLeft, probabilities: Probabilities) -> float:  # noqa: ARG002 - as every policy
        """Return the threshold at which both errors cost the same."""
        return self.alarm / (self.alarm + self.miss)


@dataclass(frozen=True, slots=True)
class Capacity:
    """As many people as one can talk to: `people` out of a company of `of`."""

    people: int
    of: int

    @property
    def name(self) -> str:
        """Return the number of people."""
        return f"capacity:{self.people}"

    def choose(self, has_left: HasLeft, probabilities: Probabilities) -> float:  # noqa: ARG002 - as every policy
        """Return the threshold that at most this share of the employees reaches."""
        most = min(int(self.people / self.of * len(probabilities) + 1e-9), len(probabilities))
        falling = np.sort(probabilities)[::-1]
        if most == len(falling):
            return 0.0
        # Above the first who is one too many, and with them above everyone of the same probability.
        above = falling[falling > falling[most]]
        upper = float(above[-1]) if len(above) else 1.0
        return (upper + float(falling[most])) / 2


def parse_policy(
    metric: str = "f2",
    *,
    cost_miss: float | None = None,
    cost_alarm: float | None = None,
    capacity: int | None = None,
    of: int = 0,
) -> Policy:
    """Return the policy that these options ask for; `of` is the size of the company.

    Raises:
        TrainingError: they contradict each other, or one of them is no policy.
    """
    if capacity is not None and (cost_miss is not None or cost_alarm is not None):
        raise TrainingError("a capacity and costs cannot both choose the threshold: give one of them")
    if capacity is not None:
        if not 1 <= capacity <= of:
            raise TrainingError(f"a capacity of {capacity}: expected from 1 to the {of} employees")
        return Capacity(capacity, of)
    if cost_miss is not None or cost_alarm is not None:
        miss, alarm = 1.0 if cost_miss is None else cost_miss, 1.0 if cost_alarm is None else cost_alarm
        if not (0 < miss < np.inf and 0 < alarm < np.inf):
            raise TrainingError(f"costs of {miss:g} and {alarm:g}: expected numbers above 0")
        return CostRatio(miss, alarm)
    if metric not in METRIC_POLICIES:
        raise TrainingError(
            f"unknown threshold metric {metric!r}: expected one of {', '.join(sorted(METRIC_POLICIES))}"
        )
    return METRIC_POLICIES[metric]


METRIC_POLICIES: Mapping[str, Policy] = {
    policy.name: policy for policy in (BalancedAccuracy(), FBeta(0.5), FBeta(1), FBeta(2))
}


def _largest(has_left: HasLeft, probabilities: Probabilities, score: Any) -> float:
    """Return the threshold with the largest score.

    Half-way to the next smaller probability, so that it does not hang on one employee's.
    """
    tns, fps, fns, tps, thresholds = confusion_matrix_at_thresholds(has_left, probabilities)
    best = int(np.argmax(score(tns, fps, fns, tps)))
    below = thresholds[best + 1] if best + 1 < len(thresholds) else 0.0
    return float((thresholds[best] + below) / 2)
