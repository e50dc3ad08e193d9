"""The fairness audit: whether the model treats groups of employees alike.

On out-of-fold decisions, so on employees whom the model has not seen; by fairlearn's `MetricFrame`,
with bootstrap intervals.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray

from churn import domain
from churn.training.evaluation import OutOfFold
from churn.training.thresholds import Left, Probabilities

AUDITED = ("genre", "age", "statut_marital", "departement")
AGE_BANDS = {"18–29": (18, 29), "30–39": (30, 39), "40–49": (40, 49), "50+": (50, 200)}
RESAMPLES = 100
INTERVAL = [0.025, 0.975]
SMALL, FEW_DEPARTURES = 100, 20  # employees, departures: below either, a group is said to be small
FOUR_FIFTHS = 0.8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % bootstrap interval; None where it cannot be computed."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group: how many, how many of them left, and what the model does with them.

    `calibration_gap` is the mean probability minus the share who left: above 0, the group's risk is
    overstated. `small` groups say little: read their intervals, not their figures.
    """

    group: str
    n: int
    departures: int
    small: bool
    selection_rate: Estimate
    recall: Estimate
    precision: Estimate
    calibration_gap: Estimate


@dataclass(frozen=True, slots=True)
class Audit:
    """The groups of one field, and the least of their selection rates over the largest.

    By the four-fifths rule of thumb (US EEOC, Uniform Guidelines, 1978) a `ratio` below 0.8 asks for
    an explanation. Being flagged is here an offer to talk; the rule is symmetric enough for a first look.
    """

    field: str
    groups: tuple[GroupFigures, ...]
    ratio: Estimate
    passes_four_fifths: bool


def audit(
    field: str, employees: pd.DataFrame, found: OutOfFold, resamples: int = RESAMPLES, seed: int = 0
) -> Audit | None:
    """Return the audit by the groups of a field; None where it is known of one group at most.

    Over the first repeat: every employee once, so that the intervals are not too narrow. With no
    `resamples` there are no intervals.
    """
    groups = _groups(employees, field)
    if groups.dropna().nunique() < 2:
        return None
    known = groups.notna().to_numpy()
    members = groups[known].to_numpy()
    left, flagged = found.left[known], found.flagged[0][known]
    frame = _metric_frame(left, flagged, found.probabilities[0][known], members, resamples, seed)
    tables = [frame.by_group, *(frame.by_group_ci if resamples else ())]
    made = tuple(
        _figures(tables, group, left[members == group]) for group in _order(field) if group in set(members)
    )
    ratios = [frame.ratio("between_groups"), *(frame.ratio_ci("between_groups") if resamples else ())]
    ratio = _estimate([figures["selection_rate"] for figures in ratios])
    return Audit(field, made, ratio, ratio.value is not None and ratio.value >= FOUR_FIFTHS)


def _groups(employees: pd.DataFrame, field: str) -> pd.Series:
    if field != "age":
        return employees[field].astype(object).reset_index(drop=True)
    ages = employees[field].reset_index(drop=True)
    named = pd.Series(None, index=ages.index, dtype=object)
    for name, (low, high) in AGE_BANDS.items():
        named[ages.between(low, high)] = name
    return named


def _figures(tables: Sequence[pd.DataFrame], group: str, left: Left) -> GroupFigures:
    departures = int(left.sum())
    figures = {metric: _estimate([table.loc[group, metric] for table in tables]) for metric in METRICS}
    small = len(left) < SMALL or departures < FEW_DEPARTURES
    return GroupFigures(group, len(left), departures, small, **figures)


def _order(field: str) -> tuple[str, ...]:
    return tuple(AGE_BANDS) if field == "age" else domain.BY_NAME[field].categories


def _metric_frame(
    left: Left,
    flagged: Left,
    probabilities: Probabilities,
    groups: NDArray[np.object_],
    resamples: int,
    seed: int,
) -> MetricFrame:
    bootstrap = {"n_boot": resamples, "ci_quantiles": INTERVAL, "random_state": seed} if resamples else {}
    with warnings.catch_warnings():
        # A resample without any member of a small group: its figures are NaN there, and skipped.
        warnings.simplefilter("ignore")
        return MetricFrame(
            metrics=METRICS,
            y_true=left,
            y_pred=flagged,
            sensitive_features=groups,
            sample_params={"calibration_gap": {"probability": probabilities}},
            **bootstrap,
        )


def _mean(values: NDArray[Any]) -> float:
    # By numpy: scikit-learn's own metrics check their input at length, thousands of times here.
    return float(values.mean()) if len(values) else float("nan")


def _selection_rate(y_true: Left, y_pred: Left) -> float:  # noqa: ARG001 - as every metric
    return _mean(y_pred)


def _recall(y_true: Left, y_pred: Left) -> float:
    return _mean(y_pred[y_true])


def _precision(y_true: Left, y_pred: Left) -> float:
    return _mean(y_true[y_pred])


def _calibration_gap(y_true: Left, y_pred: Left, probability: Probabilities) -> float:  # noqa: ARG001 - as every metric
    return _mean(probability) - _mean(y_true)


METRICS: Mapping[str, Callable[..., float]] = {
    "selection_rate": _selection_rate,
    "recall": _recall,
    "precision": _precision,
    "calibration_gap": _calibration_gap,
}


def _estimate(figures: Sequence[Any]) -> Estimate:
    """Return a value, and the ends of its interval where there are any."""
    known = [None if np.isnan(figure) else float(figure) for figure in figures]
    return Estimate(*known) if len(known) > 1 else Estimate(known[0], None, None)
