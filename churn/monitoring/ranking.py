"""How well probabilities rank those who left above those who stayed, with weights."""

import math

import numpy as np
from numpy.typing import NDArray

from churn.monitoring.interval import WIDE, on_logit, student
from churn.schemas.performance_report import Interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RESAMPLES = 400


def roc_auc(scores: Floats, has_left: Flags, weights: Floats) -> Interval:
    """Return the weighted area under the ROC curve, with DeLong's interval on its log-odds.

    All are (people,); weights of 0 are left out. On few leavers it covers better than on the area itself
    (E. DeLong et al., 1988; G. Qin and L. Hotilovac, 2008).

    Raises:
        ValueError: nobody left, or nobody stayed.
    """
    known = weights > 0
    left, stayed = known & has_left, known & ~has_left
    if not left.any() or not stayed.any():
        raise ValueError("a ROC curve needs leavers and stayers")
    above = _shares_below(scores[left], scores[stayed], weights[stayed])
    below = 1 - _shares_below(scores[stayed], scores[left], weights[left])
    area = float(np.average(above, weights=weights[left]))
    variance = _variance(above, weights[left], area) + _variance(below, weights[stayed], area)
    if not 0 < area < 1 or variance == 0:
        return _at_the_end(area, int(left.sum()), int(stayed.sum()))
    return on_logit(area, math.sqrt(variance))


def _shares_below(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """Return for each score the weighted share of other people below; who has the same counts half."""
    order = np.argsort(others, kind="stable")
    sorted_, sums = others[order], np.concatenate(([0.0], np.cumsum(weights[order])))
    low = sums[np.searchsorted(sorted_, scores, side="left")]
    high = sums[np.searchsorted(sorted_, scores, side="right")]
    return np.asarray((low + high) / (2 * sums[-1]))


def _variance(parts: Floats, weights: Floats, mean: float) -> float:
    """Return the variance of a weighted mean."""
    people = len(parts)
    if people < 2:
        return 0.0
    shares = weights / weights.sum()
    return float(np.sum(np.square(shares * (parts - mean))) * people / (people - 1))


def _at_the_end(area: float, left: int, stayed: int) -> Interval:
    """Return the interval where all leavers rank alike: half a pair is added, and Hanley and McNeil's error.

    J. Hanley and B. McNeil, "The meaning and use of the area under a ROC curve" (1982).
    """
    inner = (area * left + 0.5) / (left + 1)
    first, second = inner / (2 - inner), 2 * inner * inner / (1 + inner)
    variance = inner * (1 - inner) + (left - 1) * (first - inner**2) + (stayed - 1) * (second - inner**2)
    interval = on_logit(inner, math.sqrt(variance / (left * stayed)))
    return Interval(area, min(area, interval.low), max(area, interval.high))


def average_precision(scores: Floats, has_left: Flags, weights: Floats, *, seed: int = 0) -> Interval:
    """Return the weighted average precision, with an interval by the bootstrap over employees.

    All are (people,), one row an employee. The interval is on the log-odds, where the draws are about normal,
    with Student's quantile for as many leavers.
    """
    order = np.argsort(-scores, kind="stable")
    sorted_, left = scores[order], has_left[order]
    ends = np.append(np.flatnonzero(np.diff(sorted_)), len(sorted_) - 1)  # the last of each score
    value = _average_precision(left, weights[order], ends)
    random = np.random.default_rng(seed)
    people, draws = len(order), []
    for _ in range(RESAMPLES):
        drawn = np.bincount(random.integers(0, people, people), minlength=people)
        draw = _average_precision(left, weights[order] * drawn, ends)
        if 0 < draw < 1:
            draws.append(math.log(draw / (1 - draw)))
    leavers = int(np.sum((weights > 0) & has_left))
    if not 0 < value < 1 or leavers < 2 or len(draws) < RESAMPLES / 2:
        return Interval(value, 0.0, 1.0)
    # The draws vary less than new samples of so few leavers would, and their spread is itself uncertain.
    widened = math.sqrt(leavers / (leavers - 1)) * student(leavers - 1) / WIDE
    return on_logit(value, float(np.std(draws)) * widened * value * (1 - value))


def _average_precision(left: Flags, weights: Floats, ends: NDArray[np.intp]) -> float:
    """Return that of people in the order of their scores; `ends` are where a score ends."""
    hits, all_ = np.cumsum(weights * left)[ends], np.cumsum(weights)[ends]
    if hits[-1] <= 0:
        return math.nan
    precision = np.divide(hits, all_, out=np.zeros_like(hits), where=all_ > 0)
    return float(np.sum(np.diff(hits, prepend=0.0) * precision) / hits[-1])
