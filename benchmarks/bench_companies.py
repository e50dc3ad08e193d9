"""Quality on other companies, in nested cross-validation: the family beside boosting, explainable or not.

python -m benchmarks.bench_companies [--technova DIR] [--public DIR] [--only NAME] [--models A,B] [--short]

On the extracts of technova, two public tables, and simulated companies whose truth is known. The tables are
read by their dictionaries, which come with churn or are drafted from the table. Up to 2,000 people are
cross-validated four times, as in training; more than 50,000 are split once, four fifths to learn from.
Everything that a model chooses is chosen on the rows that it learns from. The last line is one JSON object.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold

from benchmarks.companies import Company, companies
from churn.model.pipeline import compile_scorecard
from churn.training import challengers
from churn.training.challengers import Predict
from churn.training.evaluation import calibration_error
from churn.training.learner import Learner, probabilities

FOLDS = 5
SMALL, PASSES = 2_000, 4  # so few people are cross-validated so many times
SPLIT_ONCE = 50_000  # more people than these are split once
# Rows that explainable boosting learns from: of fewer it takes as long as of these, and minutes of more.
LEAST_EXPLAINED, MOST_EXPLAINED = 100, 20_000
RESAMPLES = 500  # of the calibration error
RECORDS = 2_000  # that are scored one by one
OURS, BOOSTING, EBM = "churn", "boosting", "ebm"

Floats = NDArray[np.float64]

# Of the family: by company and figure, what it has to reach.
BARS: Mapping[str, Mapping[str, tuple[str, float]]] = {
    "technova": {"roc_auc": ("≥", 0.860), "average_precision": ("≥", 0.686), "brier": ("≤", 0.0836)},
    "ibm": {"roc_auc": ("≥", 0.852), "average_precision": ("≥", 0.667), "brier": ("≤", 0.086)},
    "hr": {"roc_auc": ("≥", 0.982), "average_precision": ("≥", 0.955), "brier": ("≤", 0.018)},
}
MOST_CALIBRATION_ERROR = 0.03


@dataclass(frozen=True)
class Figures:
    """One kind of model on one company: how good it is on people it has not seen, and how long it takes."""

    roc_auc: float
    average_precision: float
    brier: float
    calibration_error: float
    calibration_low: float
    calibration_high: float
    train_us: float  # of the processor, for a row that was learned from
    score_us: float | None = None  # a record by itself, of the family

    @property
    def calibrated(self) -> bool:
        """Whether the calibration error is small, or its interval covers 0."""
        return self.calibration_error <= MOST_CALIBRATION_ERROR or self.calibration_low <= 0


# Of rows to learn from and to predict: probabilities, the seconds of learning, those of each prediction.
Measured = tuple[Floats, float, float | None]
Measure = Callable[[Company, NDArray[np.intp], NDArray[np.intp]], Measured]


def main() -> None:
    """Measure, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--technova", type=Path, default=os.environ.get("CHURN_REAL_DATA") or None)
    parser.add_argument("--public", type=Path, default=Path("../shared/data/public"), help="public tables")
    parser.add_argument("--only", default="", help="companies whose name begins so")
    parser.add_argument("--models", default=f"{OURS},{BOOSTING},{EBM}", help="what is compared")
    parser.add_argument("--short", action="store_true", help="two small companies, to see that it runs")
    options = parser.parse_args()
    # Explainable boosting says of each table with empty cells that its own pictures do not show them.
    warnings.filterwarnings("ignore", "Missing values detected", UserWarning)
    models = [OURS, BOOSTING] if options.short else options.models.split(",")
    results: dict[str, dict[str, Figures]] = {}
    header = ("company", "model", "ROC-AUC", "AP", "Brier", "calibration error", "train µs", "score µs")
    print("{:<18}{:<10}{:>8}{:>8}{:>8}{:>28}{:>10}{:>10}".format(*header))
    for company in companies(options.technova, options.public, short=options.short):
        if company.name.startswith(options.only):
            results[company.name] = measure(company, models, 1 if options.short else PASSES)
            print("\n".join(notes(company, results[company.name])), flush=True)
    plain = {
        name: {
            model: {name: round(value, 5) for name, value in vars(figures).items() if value is not None}
            for model, figures in models.items()
        }
        for name, models in results.items()
    }
    print("\n" + json.dumps(plain))


def measure(company: Company, models: Sequence[str], passes: int) -> dict[str, Figures]:
    """Return each kind's figures on one company, printing a line for each; a small one has so many passes."""
    learner = Learner(company.fields)
    kinds: dict[str, Measure] = {OURS: partial(_family, learner)}
    for name, predict in challengers.entrants(company.fields, learner, ()).items():
        most = MOST_EXPLAINED if name == EBM else len(company.table)
        kinds[name] = partial(_challenger, predict, most)
    if len(company.table) < LEAST_EXPLAINED:
        kinds.pop(EBM, None)
    results = {}
    for name in (name for name in models if name in kinds):
        results[name] = f = _measured(company, kinds[name], passes)
        interval = f"{f.calibration_error:.4f} ({f.calibration_low:+.4f} … {f.calibration_high:.4f})"
        print(
            f"{company.name:<18}{name:<10}{f.roc_auc:>8.4f}{f.average_precision:>8.4f}{f.brier:>8.4f}"
            f"{interval:>28}{f.train_us:>10,.0f}{'–' if f.score_us is None else f'{f.score_us:.1f}':>10}",
            flush=True,
        )
    return results


def notes(company: Company, results: Mapping[str, Figures]) -> list[str]:
    """Return what is to be said of a company: the truth's own figures, bars that are missed, who is ahead."""
    lines = []
    if company.truth is not None:
        y, truth = company.has_left, company.truth
        lines.append(
            f"{company.name:<18}{'(truth)':<10}{roc_auc_score(y, truth):>8.4f}"
            f"{average_precision_score(y, truth):>8.4f}{brier_score_loss(y, truth):>8.4f}"
        )
    ours = results[OURS]
    for figure, (sign, bar) in BARS.get(company.name, {}).items():
        value = round(getattr(ours, figure), 4)  # as exact as the bars
        if not (value >= bar if sign == "≥" else value <= bar):
            lines.append(f"  missed: {figure} {value:.4f}, expected {sign} {bar}")
    if not ours.calibrated:
        lines.append(f"  missed: calibration error {ours.calibration_error:.4f}")
    lines += [
        f"  {name} is ahead by more than 0.01 in {figure}"
        for name, figures in results.items()
        for figure in ("roc_auc", "average_precision")
        if getattr(figures, figure) > getattr(ours, figure) + 0.01
    ]
    return lines


def _measured(company: Company, predict: Measure, passes: int) -> Figures:
    people = len(company.table)
    folds = RepeatedStratifiedKFold(
        n_splits=FOLDS, n_repeats=passes if people <= SMALL else 1, random_state=0
    )
    splits = list(folds.split(company.table, company.has_left))
    if people > SPLIT_ONCE:
        splits = splits[:1]
    parts: list[Floats] = []
    scoring: list[float] = []
    learning, rows = 0.0, 0
    for inside, outside in splits:
        predicted, seconds, each = predict(company, inside, outside)
        parts.append(predicted)
        learning, rows = learning + seconds, rows + len(inside)
        scoring += [] if each is None else [each]
    has_left = np.concatenate([company.has_left[outside] for _, outside in splits])
    pooled = np.concatenate(parts)
    # Of the first pass, which has everybody once: the interval is of people.
    once = has_left[:people], pooled[:people]
    low, high = _interval(*once)
    by_fold = [(company.has_left[outside], part) for (_, outside), part in zip(splits, parts, strict=True)]
    return Figures(
        roc_auc=float(np.mean([roc_auc_score(*fold) for fold in by_fold])),
        average_precision=float(np.mean([average_precision_score(*fold) for fold in by_fold])),
        brier=float(brier_score_loss(has_left, pooled)),
        calibration_error=calibration_error(*once),
        calibration_low=low,
        calibration_high=high,
        train_us=learning / rows * 1e6,
        score_us=float(np.median(scoring)) * 1e6 if scoring else None,
    )


def _family(
    learner: Learner, company: Company, inside: NDArray[np.intp], outside: NDArray[np.intp]
) -> Measured:
    start = time.process_time()
    learned = learner(company.table.iloc[inside], company.has_left[inside])
    seconds = time.process_time() - start
    unseen = company.table.iloc[outside]
    card = compile_scorecard(learned.pipeline)
    few = unseen.head(RECORDS).astype(object)
    records = few.where(few.notna(), None).to_dict("records")
    start = time.process_time()
    for record in records:
        card.probability(card.contributions({str(name): value for name, value in record.items()}))
    each = (time.process_time() - start) / len(records)
    return probabilities(learned.pipeline, unseen), seconds, each


def _challenger(
    predict: Predict, most: int, company: Company, inside: NDArray[np.intp], outside: NDArray[np.intp]
) -> Measured:
    if len(inside) > most:
        inside = np.random.default_rng(0).permutation(inside)[:most]
    start = time.process_time()
    predicted = predict(company.table.iloc[inside], company.has_left[inside], company.table.iloc[outside])
    seconds = time.process_time() - start
    return predicted, seconds, None


def _interval(has_left: NDArray[np.bool_], predicted: Floats) -> tuple[float, float]:
    """Return the basic bootstrap's 95 % interval of the calibration error.

    Of so many people even a perfect model has an error, and a resample of them more of it: reflected at what
    was found, this goes off again (B. Efron, R. Tibshirani, "An introduction to the bootstrap", 1993).
    """
    random = np.random.default_rng(0)
    found = calibration_error(has_left, predicted)
    errors = []
    for _ in range(RESAMPLES):
        rows = random.integers(0, len(predicted), len(predicted))
        errors.append(calibration_error(has_left[rows], predicted[rows]))
    low, high = np.quantile(errors, [0.025, 0.975])
    return float(2 * found - high), float(2 * found - low)


if __name__ == "__main__":
    main()
