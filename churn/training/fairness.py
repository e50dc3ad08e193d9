"""The fairness audit: whether the model treats groups of employees alike.

On out-of-fold decisions, so on employees whom the model has not seen. Each group's figures are by
fairlearn's `MetricFrame`, with bootstrap intervals.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame
from numpy.typing import NDArray

from churn.dictionary.field import Field
from churn.training.evaluation import OutOfFold
from churn.training.thresholds import HasLeft, Probabilities

RESAMPLES = 100
INTERVAL = [0.025, 0.975]
SMALL = 100  # employees: below, a group is small, and compared with no other
FEW_DEPARTURES = 20  # below, a group's recall and calibration say little
FOUR_FIFTHS = 0.8
DRAWS = 20_000

Verdict = Literal["passes", "fails", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where it cannot be computed."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group: how many, how many of them left, and what the model does with them.

    `calibration_gap` is the mean probability minus the share who left: above 0, the group's risk is
    overstated. Of a `small` group, and of one with `few_departures`, read the intervals and not the
    figures.
    """

    group: str
    n: int
    departures: int
    small: bool
    few_departures: bool
    selection_rate: Estimate
    recall: Estimate
    precision: Estimate
    calibration_gap: Estimate


@dataclass(frozen=True, slots=True)
class Audit:
    """The groups of one field, and the least of their selection rates over the largest.

    The `ratio` is of the groups that are not small. By the four-fifths rule of thumb (US EEOC, Uniform
    Guidelines, 1978) one below 0.8 asks for an explanation; `four_fifths` tells on which side of 0.8 its
    whole interval lies. Being flagged is here an offer to talk; the rule is symmetric enough for a first
    look.
    """

    field: str
    groups: tuple[GroupFigures, ...]
    ratio: Estimate
    four_fifths: Verdict


def audit(
    field: Field, employees: pd.DataFrame, decisions: OutOfFold, resamples: int = RESAMPLES, seed: int = 0
) -> Audit | None:
    """Return the audit by the groups of a field; None where it is known of one group at most.

    Over the first repeat: every employee once, so that the intervals are not too narrow. With no
    `resamples` the groups' figures have no intervals.
    """
    groups = _groups(field, employees[field.name].reset_index(drop=True))
    if groups.dropna().nunique() < 2:
        return None
    known = groups.notna().to_numpy()
    members = groups[known].to_numpy()
    has_left, flagged = decisions.has_left[known], decisions.flagged[0][known]
    frame = _metric_frame(has_left, flagged, decisions.probabilities[0][known], members, resamples, seed)
    tables = [frame.by_group, *(frame.by_group_ci if resamples else ())]
    figures = tuple(
        _figures(tables, group, has_left[members == group])
        for group in field.categories or field.groups
        if group in set(members)
    )
    compared = [members == of.group for of in figures if not of.small]
    ratio = least_over_largest([(int(flagged[rows].sum()), int(rows.sum())) for rows in compared], seed)
    return Audit(field.name, figures, ratio, verdict(ratio))


def least_over_largest(groups: Sequence[tuple[int, int]], seed: int) -> Estimate:
    """Return the ratio of the least to the largest selection rate; groups are (flagged, employees).

    The interval is of the two groups concerned: each rate is drawn from its beta distribution by
    Jeffreys' prior, which has a width where nobody is flagged, too (L. Brown, T. Cai, A. DasGupta,
    "Interval estimation for a binomial proportion", Statistical Science 16, 2001). Since the two were
    picked out of many pairs, its ends are as far out as Bonferroni's correction asks. The least over
    the largest of all groups in each draw, or each resample, would not do: with four groups of 100 that
    are flagged by lot at 5 %, the whole interval of that lies below 0.8 in 99 of 100 cases.
    """
    if len(groups) < 2:
        return Estimate(None, None, None)
    (few, of_few), *_, (many, of_many) = sorted(groups, key=lambda group: group[0] / group[1])
    random = np.random.default_rng(seed)
    least = random.beta(few + 0.5, of_few - few + 0.5, DRAWS)
    ratios = least / random.beta(many + 0.5, of_many - many + 0.5, DRAWS)
    pairs = len(groups) * (len(groups) - 1) / 2
    low, high = np.quantile(ratios, [INTERVAL[0] / pairs, 1 - INTERVAL[0] / pairs]).clip(max=1).tolist()
    if not many:
        return Estimate(None, low, high)
    ratio = (few / of_few) / (many / of_many)
    return Estimate(ratio, min(low, ratio), max(high, ratio))


def verdict(ratio: Estimate) -> Verdict:
    """Return on which side of four fifths a ratio lies with its whole interval."""
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return "cannot_tell"
    if ratio.high < FOUR_FIFTHS:
        return "fails"
    return "passes" if ratio.low >= FOUR_FIFTHS else "cannot_tell"


def _groups(field: Field, values: pd.Series) -> pd.Series:
    """Return each employee's group: a category, or of a number, the range that it lies in."""
    if not field.numeric:
        return values.astype(object)
    groups = pd.Series(None, index=values.index, dtype=object)
    for name, (low, high) in field.groups.items():
        groups[values.between(low, high)] = name
    return groups


def _figures(tables: Sequence[pd.DataFrame], group: str, has_left: HasLeft) -> GroupFigures:
    departures = int(has_left.sum())
    figures = {metric: _estimate([table.loc[group, metric] for table in tables]) for metric in GROUP_METRICS}
    small, few = len(has_left) < SMALL, departures < FEW_DEPARTURES
    return GroupFigures(group, len(has_left), departures, small, few, **figures)


def _metric_frame(
    has_left: HasLeft,
    flagged: HasLeft,
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
            metrics=GROUP_METRICS,
            y_true=has_left,
            y_pred=flagged,
            sensitive_features=groups,
            sample_params={"calibration_gap": {"probability": probabilities}},
            **bootstrap,
        )


def _mean(values: NDArray[Any]) -> float:
    # By numpy: scikit-learn's own metrics check their input at length, thousands of times here.
    return float(values.mean()) if len(values) else float("nan")


def _selection_rate(y_true: HasLeft, y_pred: HasLeft) -> float:  # noqa: ARG001 - as every metric
    return _mean(y_pred)


def _recall(y_true: HasLeft, y_pred: HasLeft) -> float:
    return _mean(y_pred[y_true])


def _precision(y_true: HasLeft, y_pred: HasLeft) -> float:
    return _mean(y_true[y_pred])


def _calibration_gap(y_true: HasLeft, y_pred: HasLeft, probability: Probabilities) -> float:  # noqa: ARG001 - as every metric
    return _mean(probability) - _mean(y_true)


GROUP_METRICS: Mapping[str, Callable[..., float]] = {
    "selection_rate": _selection_rate,
    "recall": _recall,
    "precision": _precision,
    "calibration_gap": _calibration_gap,
}


def _estimate(figures: Sequence[Any]) -> Estimate:
    """Return a value, and the ends of its interval where there are any."""
    known = [None if np.isnan(figure) else float(figure) for figure in figures]
    return Estimate(*known) if len(known) > 1 else Estimate(known[0], None, None)
