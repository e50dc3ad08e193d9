"""Which pairs of fields a model takes: none, unless rows that were held out say so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from churn.dictionary.field import Field
from churn.model.boosting import Floats, Pair, TableBoosting
from churn.model.encoder import build_encoder, cell_fields
from churn.model.pipeline import build_additive
from churn.training.candidates import Candidate, PairedCandidate
from churn.training.thresholds import HasLeft

COUNTS = (1, 3, 10)  # pairs that are tried, the strongest first
ROUNDS = (4, 8, 16)  # turns of each
LEAST_GAIN = 3.0  # standard errors of the gain in log loss, that the best of all these has to reach
SIDES = 8  # cells of a field in screening: few, so that each two of them have rows enough

RowNumbers = NDArray[np.intp]


def search(
    fields: Sequence[Field],
    additive: Candidate,
    table: pd.DataFrame,
    has_left: HasLeft,
    splits: Sequence[tuple[RowNumbers, RowNumbers]],
) -> PairedCandidate | None:
    """Return an additive candidate with the pairs of the least log loss on rows that were held out.

    None where the gain might be chance. A protected field has no pair: half of what it does would stand
    under another field's name.
    """
    may_pair = cell_fields(fields, {f.name for f in fields if f.role != "protected"})
    if len(may_pair) < 2:
        return None
    folds = [_Fold.of(fields, may_pair, additive, table, has_left, split) for split in splits]
    without = np.empty(len(has_left))
    for fold in folds:
        without[fold.outside] = fold.log_odds_outside
    best, chosen = _losses(without, has_left), None
    for count in COUNTS:
        tried = {rounds: np.empty(len(has_left)) for rounds in ROUNDS}
        for fold in folds:
            fold.try_pairs(count, tried)
        losses = {rounds: _losses(log_odds, has_left) for rounds, log_odds in tried.items()}
        rounds = min(losses, key=lambda rounds: float(losses[rounds].mean()))
        if losses[rounds].mean() >= best.mean():
            break
        best, chosen = losses[rounds], (count, rounds)
    gains = _losses(without, has_left) - best
    if chosen is None or gains.mean() < LEAST_GAIN * gains.std() / np.sqrt(len(gains)):
        return None
    everyone = np.arange(len(has_left))
    whole = _Fold.of(fields, may_pair, additive, table, has_left, (everyone, everyone[:1]))
    names = [field.name for field in may_pair]
    pairs = tuple((names[first], names[second]) for first, second in whole.ranking[: chosen[0]])
    return PairedCandidate(additive.n_knots, additive.degree, additive.c, pairs, chosen[1])


def _losses(log_odds: Floats, has_left: HasLeft) -> Floats:
    """Return the log loss of each row."""
    return np.asarray(np.logaddexp(0.0, np.where(has_left, -log_odds, log_odds)))


@dataclass
class _Fold:
    """The additive model of some rows, what it says of others, and the pairs that its residuals ask for."""

    cells: Floats
    has_left: HasLeft
    log_odds: Floats
    outside: RowNumbers
    cells_outside: Floats
    log_odds_outside: Floats
    categories: list[int]
    ranking: list[Pair] = field(init=False)

    def __post_init__(self) -> None:
        self.ranking = strongest(self.cells, self.has_left, expit(self.log_odds))[: max(COUNTS)]

    @classmethod
    def of(
        cls,
        fields: Sequence[Field],
        may_pair: Sequence[Field],
        candidate: Candidate,
        table: pd.DataFrame,
        has_left: HasLeft,
        split: tuple[RowNumbers, RowNumbers],
    ) -> "_Fold":
        """Fit the additive model."""
        inside, outside = split
        encoder = build_encoder(
            fields, candidate.n_knots, candidate.degree, {field.name for field in may_pair}
        )
        seen = np.asarray(encoder.fit_transform(table.iloc[inside]))
        unseen = np.asarray(encoder.transform(table.iloc[outside]))
        end = seen.shape[1] - len(may_pair)
        additive = build_additive(candidate.c).fit(seen[:, :end], has_left[inside])
        return cls(
            cells=seen[:, end:],
            has_left=has_left[inside],
            log_odds=additive.decision_function(seen[:, :end]),
            outside=outside,
            cells_outside=unseen[:, end:],
            log_odds_outside=additive.decision_function(unseen[:, :end]),
            categories=[column for column, field in enumerate(may_pair) if not field.numeric],
        )

    def try_pairs(self, count: int, tried: dict[int, Floats]) -> None:
        """Boost the strongest pairs, and say for each number of turns what they make of the rows outside."""
        pairs = self.ranking[:count]
        boosting = TableBoosting(
            self.cells, self.has_left, self.log_odds, pairs=pairs, categories=self.categories
        )
        before = 0
        for rounds, log_odds in tried.items():
            boosting.run(rounds - before)
            before = rounds
            added = boosting.effects().log_odds(self.cells_outside)
            log_odds[self.outside] = self.log_odds_outside + added


def strongest(cells: Floats, has_left: HasLeft, fitted: Floats) -> list[Pair]:
    """Return all pairs of columns, those first that explain most of what the additive model leaves over.

    By the score test of a coarse table in the model whose probabilities are `fitted`; like FAST, it fits
    nothing (Y. Lou et al., "Accurate intelligible models with pairwise interactions", KDD 2013). `cells` are
    (rows, columns), -1 where unknown.
    """
    residuals, weights = has_left - fitted, fitted * (1 - fitted)
    coarse = [_coarse(column) for column in cells.T]
    gains = {
        (first, second): _gain(coarse[first] * (SIDES + 1) + coarse[second], residuals, weights)
        for first, second in combinations(range(len(coarse)), 2)
    }
    return sorted(gains, key=lambda pair: -gains[pair])


def _coarse(column: Floats) -> NDArray[np.intp]:
    """Return at most `SIDES` cells of about as many rows; the one behind them is of what is unknown."""
    known = column[column >= 0]
    cuts = np.unique(np.quantile(known, np.arange(1, SIDES) / SIDES)) if len(known) else known
    return np.where(column < 0, SIDES, np.searchsorted(cuts, column, side="right"))


def _gain(place: NDArray[np.intp], residuals: Floats, weights: Floats) -> float:
    """Return how far the score statistic lies beyond chance, in its standard deviations.

    What either field explains by itself is taken away.
    """
    size = SIDES + 1
    score = np.bincount(place, residuals, size * size).reshape(size, size)[:SIDES, :SIDES]
    information = np.bincount(place, weights, size * size).reshape(size, size)[:SIDES, :SIDES]
    for axis in (0, 1):
        share = information / np.maximum(information.sum(axis=axis, keepdims=True), 1e-12)
        score = score - share * score.sum(axis=axis, keepdims=True)
    used = information > 0
    freedom = max((used.any(axis=1).sum() - 1) * (used.any(axis=0).sum() - 1), 1)
    statistic = float((score[used] ** 2 / (information[used] + 1.0)).sum())
    return float((statistic - freedom) / np.sqrt(2 * freedom))
