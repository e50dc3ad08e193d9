"""How good a model is on employees whom it has not seen: figures with their spread, and curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix_at_thresholds,
    log_loss,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
    roc_curve,
)

from churn.schemas.bands import BANDS, Band, risk_band
from churn.training.thresholds import HasLeft, Probabilities

BINS = 10
POINTS = 200  # of a curve, at most

Flags = NDArray[np.bool_]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class MeanSd:
    """A figure over the folds or repeats: its mean and standard deviation."""

    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Employees of similar probability: its mean, the share who left, and how many they are."""

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True, slots=True)
class Cut:
    """What a threshold would do: shares from 0 to 1."""

    threshold: float
    flagged: float
    recall: float
    precision: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often the decision was right, as a mean over the repeats: employees of the training data."""

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float


@dataclass(frozen=True, slots=True)
class BandFigures:
    """A risk band: its share of the employees, their mean probability, and the share who left."""

    band: Band
    share: float
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Curves:
    """The out-of-fold picture, all repeats together; points are (x, y).

    `roc` is (false, true positive rate), `precision_recall` (recall, precision).
    """

    roc: Points
    precision_recall: Points
    calibration: tuple[Bin, ...]
    cuts: tuple[Cut, ...]
    confusion: Confusion
    bands: tuple[BandFigures, ...]


@dataclass(slots=True)
class OutOfFold:
    """Every employee's probability and decision by a model that has not seen them, once a repeat.

    `probabilities`, `flagged` and `thresholds` have a row for each repeat and a column for each employee.
    """

    has_left: HasLeft
    probabilities: Probabilities
    flagged: Flags
    thresholds: Probabilities

    @classmethod
    def empty(cls, has_left: HasLeft, repeats: int) -> "OutOfFold":
        """Return one without any decision yet."""
        shape = repeats, len(has_left)
        return cls(has_left, np.zeros(shape), np.zeros(shape, dtype=bool), np.zeros(shape))

    @property
    def everyone(self) -> tuple[HasLeft, Probabilities, Flags]:
        """All repeats, one after the other."""
        repeats = len(self.probabilities)
        return np.tile(self.has_left, repeats), self.probabilities.ravel(), self.flagged.ravel()


def score(has_left: HasLeft, probabilities: Probabilities) -> dict[str, float]:
    """Return the figures that need no threshold."""
    return {
        "roc_auc": float(roc_auc_score(has_left, probabilities)),
        "average_precision": float(average_precision_score(has_left, probabilities)),
        "brier": float(brier_score_loss(has_left, probabilities)),
        "log_loss": float(log_loss(has_left, probabilities)),
    }


def score_decisions(has_left: HasLeft, flagged: Flags) -> dict[str, float]:
    """Return the figures of a decision."""
    # At once: each of the three by itself would count all over again.
    precision, recall, f2, _ = precision_recall_fscore_support(
        has_left, flagged, beta=2, average="binary", zero_division=0
    )
    return {
        "f2": float(f2),
        "recall": float(recall),
        "precision": float(precision),
        "flagged": float(flagged.mean()),
    }


def spreads(rows: Sequence[dict[str, float]]) -> dict[str, MeanSd]:
    """Return the spread of each figure over rows, one a fold or repeat."""
    figures = pd.DataFrame(rows)
    return {str(name): MeanSd(float(c.mean()), float(c.std(ddof=0))) for name, c in figures.items()}


def calibration_error(has_left: HasLeft, probabilities: Probabilities, bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal width.

    The mean over the employees of the distance between the share who left and the mean probability
    of their bin (C. Guo et al., "On calibration of modern neural networks", ICML 2017). With n
    employees even a perfect model has about 0.02 at n = 1500.
    """
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=probabilities - has_left, minlength=bins)
    return float(np.abs(gaps).sum() / len(has_left))


def summarise_folds(
    rows: Sequence[dict[str, float]], has_left: HasLeft, by_repeat: Probabilities
) -> dict[str, MeanSd]:
    """Return the figures with their spread over the folds; of the calibration error, over the repeats.

    `rows` has one entry a fold, `by_repeat` (repeats, employees) everyone's out-of-fold probability.
    """
    errors = [{"calibration_error": calibration_error(has_left, repeat)} for repeat in by_repeat]
    return spreads(rows) | spreads(errors)


def curves(decisions: OutOfFold) -> Curves:
    """Return the curves of out-of-fold probabilities and decisions."""
    has_left, probabilities, _ = decisions.everyone
    fpr, tpr, _ = roc_curve(has_left, probabilities)
    precision, recall, _ = precision_recall_curve(has_left, probabilities)
    return Curves(
        roc=_points(fpr, tpr),
        precision_recall=_points(recall, precision),
        calibration=_bins(has_left, probabilities, len(decisions.probabilities)),
        cuts=_cuts(has_left, probabilities),
        confusion=confusion(decisions),
        bands=_bands(decisions),
    )


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> Points:
    kept = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int))
    return tuple((float(x[i]), float(y[i])) for i in kept)


def _bins(has_left: HasLeft, probabilities: Probabilities, repeats: int) -> tuple[Bin, ...]:
    """Return bins of equal numbers of employees."""
    parts = np.array_split(np.argsort(probabilities, kind="stable"), BINS)
    return tuple(
        Bin(float(probabilities[p].mean()), float(has_left[p].mean()), round(len(p) / repeats)) for p in parts
    )


def _cuts(has_left: HasLeft, probabilities: Probabilities) -> tuple[Cut, ...]:
    _, fps, fns, tps, thresholds = confusion_matrix_at_thresholds(has_left, probabilities)
    wanted = np.linspace(0.01, 0.99, 99)
    # Thresholds fall: the last one that is not below the wanted one flags the same employees.
    at = np.searchsorted(-thresholds, -wanted, side="right") - 1
    return tuple(
        Cut(
            threshold=float(threshold),
            flagged=float((tps[i] + fps[i]) / len(has_left)),
            recall=float(tps[i] / (tps[i] + fns[i])),
            precision=float(tps[i] / (tps[i] + fps[i])),
        )
        for threshold, i in zip(wanted, at, strict=True)
        if i >= 0
    )


def confusion(decisions: OutOfFold) -> Confusion:
    """Return how often the decisions were right."""
    has_left, _, flagged = decisions.everyone
    repeats = len(decisions.probabilities)
    return Confusion(
        true_positives=float((has_left & flagged).sum() / repeats),
        false_positives=float((~has_left & flagged).sum() / repeats),
        false_negatives=float((has_left & ~flagged).sum() / repeats),
        true_negatives=float((~has_left & ~flagged).sum() / repeats),
    )


def _bands(decisions: OutOfFold) -> tuple[BandFigures, ...]:
    has_left, probabilities, _ = decisions.everyone
    thresholds = decisions.thresholds.ravel()
    of = np.array([risk_band(p, t) for p, t in zip(probabilities, thresholds, strict=True)])
    return tuple(
        BandFigures(
            band,
            float((of == band).mean()),
            float(probabilities[of == band].mean()),
            float(has_left[of == band].mean()),
        )
        for band in BANDS
        if (of == band).any()
    )
