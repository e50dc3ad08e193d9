"""Whether a model tells who leaves from who stays at all: its ROC-AUC, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from churn.training.crossvalidation import Fold
from churn.training.plan import Plan
from churn.training.thresholds import HasLeft, Probabilities

CHANCE = 0.5
Z = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Signal:
    """The cross-validated ROC-AUC and its 95 % interval; `shown` where all of that is above chance."""

    roc_auc: float
    low: float
    high: float
    shown: bool


def measure_signal(folds: Sequence[Fold], has_left: HasLeft, plan: Plan) -> Signal:
    """Return the signal of all folds of all repeats.

    Each employee is placed among those of the other kind in the same fold, which gives the variance
    (E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44, 1988; across folds: E. LeDell, M. Petersen,
    M. van der Laan, Electronic Journal of Statistics 9, 2015). The repeats share their employees: their
    mean is taken to be no more certain than one of them. The ends are of the logit, so that they stay
    between 0 and 1.
    """
    repeats = [folds[start : start + plan.folds] for start in range(0, len(folds), plan.folds)]
    area, variance = np.mean([_area(repeat, has_left) for repeat in repeats], axis=0).tolist()
    if not 0 < area < 1:
        return Signal(area, area, area, area > CHANCE)
    reach = Z * np.sqrt(variance) / (area * (1 - area))
    low, high = expit(logit(area) + np.array([-reach, reach])).tolist()
    return Signal(area, low, high, low > CHANCE)


def _area(folds: Sequence[Fold], has_left: HasLeft) -> tuple[float, float]:
    """Return one repeat's area under the curve, and its variance."""
    leavers, stayers = [], []
    for fold in folds:
        outside = has_left[fold.outside]
        gone, there = fold.probabilities[outside], fold.probabilities[~outside]
        leavers.append(_share_below(there, gone))
        stayers.append(1 - _share_below(gone, there))
    above, below = np.concatenate(leavers), np.concatenate(stayers)
    return float(above.mean()), float(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))


def _share_below(others: Probabilities, probabilities: Probabilities) -> NDArray[np.float64]:
    """Return the share of the others that is below each probability; equal ones count half."""
    ordered = np.sort(others)
    ranks = np.searchsorted(ordered, probabilities) + np.searchsorted(ordered, probabilities, side="right")
    return np.asarray(ranks / (2 * len(ordered)))
