"""Training: cross-validate honestly, choose the threshold, fit on everything. Touches no file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix_at_thresholds,
    fbeta_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold
from sklearn.pipeline import Pipeline

from churn import domain
from churn.domain import Field
from churn.errors import TrainingError
from churn.pipeline import build_pipeline, fit

MIN_ROWS = 50
INNER_FOLDS = 5

Left = NDArray[np.bool_]
Probabilities = NDArray[np.float64]
Counts = NDArray[np.float64]
Progress = Callable[[int, int], None]


def _f_beta(beta: float) -> Callable[[Counts, Counts, Counts, Counts], Counts]:
    """Return F-beta of true negatives, false positives, false negatives and true positives."""

    def score(_: Counts, fps: Counts, fns: Counts, tps: Counts) -> Counts:
        return (1 + beta**2) * tps / ((1 + beta**2) * tps + beta**2 * fns + fps)

    return score


def _balanced_accuracy(tns: Counts, fps: Counts, fns: Counts, tps: Counts) -> Counts:
    return (tps / (tps + fns) + tns / (tns + fps)) / 2


THRESHOLD_METRICS: dict[str, Callable[[Counts, Counts, Counts, Counts], Counts]] = {
    "balanced_accuracy": _balanced_accuracy,
    "f0.5": _f_beta(0.5),
    "f1": _f_beta(1),
    "f2": _f_beta(2),
}


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the folds: its mean and standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What was trained on what, and how good it is on data that it did not see.

    `metrics` are over all folds of all repeats; `seen` has the smallest and largest training value
    of each number, `unknown` how many rows lack each field.
    """

    n_rows: int
    n_departures: int
    fields: tuple[str, ...]
    left_out: tuple[str, ...]
    metrics: Mapping[str, Spread]
    threshold: float
    threshold_metric: str
    folds: int
    repeats: int
    seed: int
    seen: Mapping[str, tuple[float, float]]
    unknown: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, fit for JSON."""
        plain = asdict(self)
        lists = {name: list(plain[name]) for name in ("fields", "left_out")}
        return {**plain, **lists, "seen": {name: list(ends) for name, ends in self.seen.items()}}


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The pipeline fitted on all rows, its decision threshold, and the report."""

    pipeline: Pipeline
    threshold: float
    report: TrainingReport


def train(
    employees: pd.DataFrame,
    *,
    fields: Sequence[Field] = domain.FEATURES,
    threshold_metric: str = "f2",
    folds: int = 5,
    repeats: int = 4,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train on a table as `extracts.read` returns it.

    `progress` is told the folds done and the folds in all. Everything is learned inside the folds,
    the threshold on inner ones.

    Raises:
        TrainingError: the metric is unknown, a field cannot be learned from, or there are too few
            rows, departures or folds.
    """
    if threshold_metric not in THRESHOLD_METRICS:
        known = ", ".join(sorted(THRESHOLD_METRICS))
        raise TrainingError(f"unknown threshold metric {threshold_metric!r}: expected one of {known}")
    _check_fields(employees, fields)
    table = employees[[field.name for field in fields]]
    left = (employees[domain.TARGET.name] == domain.LEFT).to_numpy(dtype=bool)
    _check_size(left, folds)
    learn = _Learner(tuple(fields), threshold_metric, seed)
    metrics = _cross_validate(learn, table, left, folds, repeats, progress or (lambda _done, _total: None))
    pipeline, threshold = learn(table, left)
    report = TrainingReport(
        n_rows=len(left),
        n_departures=int(left.sum()),
        fields=tuple(field.name for field in fields),
        left_out=tuple(f.name for f in domain.PROTECTED if f not in fields),
        metrics=metrics,
        threshold=threshold,
        threshold_metric=threshold_metric,
        folds=folds,
        repeats=repeats,
        seed=seed,
        seen=_seen(employees),
        unknown={str(name): int(count) for name, count in table.isna().sum().items() if count},
    )
    return TrainedModel(pipeline, threshold, report)


def choose_threshold(left: Left, probabilities: Probabilities, metric: str = "f2") -> float:
    """Return the probability from which an employee is said to leave so that the metric is largest.

    Half-way to the next smaller probability, so that it does not hang on one employee's.
    """
    tns, fps, fns, tps, thresholds = confusion_matrix_at_thresholds(left, probabilities)
    best = int(np.argmax(THRESHOLD_METRICS[metric](tns, fps, fns, tps)))
    below = thresholds[best + 1] if best + 1 < len(thresholds) else 0.0
    return float((thresholds[best] + below) / 2)


@dataclass(frozen=True, slots=True)
class _Learner:
    """Learns a pipeline and its threshold from some rows, and nothing from any other."""

    fields: tuple[Field, ...]
    threshold_metric: str
    seed: int

    def __call__(self, table: pd.DataFrame, left: Left) -> tuple[Pipeline, float]:
        held_out = np.empty(len(left))
        splits = StratifiedKFold(INNER_FOLDS, shuffle=True, random_state=self.seed)
        for inside, outside in splits.split(table, left):
            held_out[outside] = _probabilities(
                self._fit(table.iloc[inside], left[inside]), table.iloc[outside]
            )
        threshold = choose_threshold(left, held_out, self.threshold_metric)
        return self._fit(table, left), threshold

    def _fit(self, table: pd.DataFrame, left: Left) -> Pipeline:
        return fit(build_pipeline(self.fields), table, left)


def _probabilities(pipeline: Pipeline, table: pd.DataFrame) -> Probabilities:
    return np.asarray(pipeline.predict_proba(table)[:, 1])


def _cross_validate(
    learn: _Learner, table: pd.DataFrame, left: Left, folds: int, repeats: int, progress: Progress
) -> dict[str, Spread]:
    splits = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=learn.seed)
    rows = []
    progress(0, folds * repeats)
    for inside, outside in splits.split(table, left):
        pipeline, threshold = learn(table.iloc[inside], left[inside])
        rows.append(_score(left[outside], _probabilities(pipeline, table.iloc[outside]), threshold))
        progress(len(rows), folds * repeats)
    by_metric = pd.DataFrame(rows)
    return {str(name): Spread(float(c.mean()), float(c.std())) for name, c in by_metric.items()}


def _score(left: Left, probabilities: Probabilities, threshold: float) -> dict[str, float]:
    flagged = probabilities >= threshold
    return {
        "roc_auc": roc_auc_score(left, probabilities),
        "average_precision": average_precision_score(left, probabilities),
        "brier": brier_score_loss(left, probabilities),
        "f2": fbeta_score(left, flagged, beta=2),
        "recall": recall_score(left, flagged),
        "precision": precision_score(left, flagged, zero_division=0),
        "flagged": float(flagged.mean()),
        "threshold": threshold,
    }


def _check_fields(employees: pd.DataFrame, fields: Sequence[Field]) -> None:
    names = {field.name for field in fields}
    lacking = sorted({*names, domain.TARGET.name} - set(employees.columns))
    if lacking:
        raise TrainingError(f"no column {', '.join(map(repr, lacking))}: expected the fields of the extracts")
    if not names:
        raise TrainingError("no field to learn from: expected at least one")
    # Either would be a perfect memory of who left, and worthless for anyone new.
    forbidden = sorted(names & {domain.TARGET.name, domain.IDENTIFIER.name})
    if forbidden:
        raise TrainingError(f"{', '.join(forbidden)} cannot be an input: leave it out of the fields")


def _check_size(left: Left, folds: int) -> None:
    if folds < 2:
        raise TrainingError(f"folds = {folds}: expected at least 2")
    departures, rows = int(left.sum()), len(left)
    if rows < MIN_ROWS:
        raise TrainingError(f"only {rows} employees: expected at least {MIN_ROWS} to learn from")
    if departures in (0, rows):
        seen = "no employee has left" if departures == 0 else "every employee has left"
        raise TrainingError(
            f"{seen} ({domain.TARGET.name}): expected both, or there is nothing to tell apart"
        )
    # Every inner fold of every outer one must hold both classes.
    needed = 2 * max(folds, INNER_FOLDS)
    if min(departures, rows - departures) < needed:
        raise TrainingError(
            f"only {departures} of {rows} employees have left: expected at least {needed} of each kind "
            f"for {folds} folds"
        )


def _seen(employees: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the range of each number of which any is known, the protected ones included."""
    names = [field.name for field in domain.FIELDS if field.numeric]
    numbers = employees[names].dropna(axis="columns", how="all")
    return {str(name): (float(c.min()), float(c.max())) for name, c in numbers.items()}
