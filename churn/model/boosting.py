"""Pairs of fields, learned as tables: what two fields do together that neither does by itself.

Numbers are cut into cells, and a pair's table has an effect for each two cells. The tables start from what
the additive model says, and small regression trees on the cells add to them in turns, a Newton step at a time
(J. Friedman, "Greedy function approximation", 2001; Y. Lou et al., "Accurate intelligible models with
pairwise interactions", KDD 2013). Then they are made pure: what either field does by itself goes to that
field, so that its pairs add nothing to it on average (B. Lengerich et al., "Purifying interaction effects
with the functional ANOVA", AISTATS 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeRegressor

from churn.dictionary.field import Field

MOST_CELLS = 100  # into which a number is cut
UNKNOWN = -1  # the cell of what is unknown

LEARNING_RATE = 0.25
LEAVES = 12
PENALTY = 3.0  # on a leaf's step, in units of information
LEAST_INFORMATION = 1.0  # in a leaf: the sum of p (1 - p) over its rows
PRIOR_ROWS = 10.0  # of the average rate, that each category begins with

PURE = 1e-9  # log-odds that may be left in a pair's margins
MOST_SWEEPS = 200
DIGITS = 6  # of the effects in a table: more would only be longer

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Pair = tuple[int, int]


class Cells(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Cuts numbers into cells, counted from 0; -1 where unknown.

    Few distinct values have a cell each; many share cells of about as many rows.
    """

    def fit(self, numbers: Floats, _: object = None) -> "Cells":
        """Find where to cut: halfway between two values."""
        self.cuts_ = [_cuts(column[~np.isnan(column)]) for column in np.asarray(numbers, dtype=float).T]
        self.n_features_in_ = len(self.cuts_)
        return self

    def transform(self, numbers: Floats) -> Floats:
        """Return the cell of each number."""
        columns = np.asarray(numbers, dtype=float).T
        cells = [np.searchsorted(cuts, c, side="right") for cuts, c in zip(self.cuts_, columns, strict=True)]
        return np.where(np.isnan(columns), UNKNOWN, np.array(cells, dtype=float)).T


def _cuts(known: Floats) -> Floats:
    values = np.unique(known)
    below = np.arange(max(len(values) - 1, 0))
    if len(values) > MOST_CELLS:
        wanted = np.quantile(known, np.arange(1, MOST_CELLS) / MOST_CELLS, method="higher")
        below = np.unique(np.searchsorted(values, wanted).clip(1)) - 1
    return np.asarray((values[below] + values[below + 1]) / 2)


def category_cells(fields: Sequence[Field]) -> OrdinalEncoder:
    """Return the unfitted encoder of categories: their place among the field's; -1 where unknown."""
    return OrdinalEncoder(
        categories=[list(field.categories) for field in fields],
        handle_unknown="use_encoded_value",
        unknown_value=UNKNOWN,
        encoded_missing_value=UNKNOWN,
    )


@dataclass
class PairEffects:
    """What boosting has learned, pure and centred: log-odds by cell, 0 where unknown.

    `base` is that of the average row; `mains` have one array for each column of cells, `tables` one for each
    of the `pairs` of columns.
    """

    pairs: Sequence[Pair]
    base: float
    mains: list[Floats]
    tables: list[Floats]

    def of(self, cells: Floats) -> Floats:
        """Return what each column adds to each row's log-odds, (rows, columns): half of its pairs, too."""
        # A cell that no row has taught is that of what is unknown, the last.
        codes = [
            np.where(column < len(main), column, UNKNOWN)
            for main, column in zip(self.mains, cells.astype(np.intp).T, strict=True)
        ]
        parts = np.column_stack(
            [np.append(main, 0.0)[code] for main, code in zip(self.mains, codes, strict=True)]
        )
        for (first, second), table in zip(self.pairs, self.tables, strict=True):
            half = np.pad(table, ((0, 1), (0, 1)))[codes[first], codes[second]] / 2
            parts[:, first] += half
            parts[:, second] += half
        return parts

    def log_odds(self, cells: Floats) -> Floats:
        """Return what is added to each row's log-odds."""
        return np.asarray(self.base + self.of(cells).sum(axis=1))

    def forget(self) -> None:
        """Make every effect 0."""
        self.base = 0.0
        for values in (*self.mains, *self.tables):
            values[:] = 0.0


class TableBoosting:
    """Boosting of tables of pairs, from the log-odds of another model; run it for as long as it helps.

    `cells` are (rows, columns); `pairs` are of columns, and those in `categories` have no order of their own.
    """

    def __init__(
        self,
        cells: Floats,
        has_left: NDArray[np.bool_],
        log_odds: Floats,
        *,
        pairs: Sequence[Pair],
        categories: Sequence[int],
    ) -> None:
        self._codes = cells.astype(np.intp)
        self._has_left, self._log_odds = has_left, log_odds.copy()
        self._categories, self._pairs = categories, pairs
        self._sizes = [int(column.max()) + 1 for column in self._codes.T]
        places = [self._places(column) for column in range(len(self._sizes))]
        self._turns = [_Turn(self._codes, places, pair) for pair in pairs]

    def _places(self, column: int) -> Floats:
        """Return where the cells of a column stand: categories by their rate, so that few steps part them."""
        if column not in self._categories:
            return np.arange(self._sizes[column], dtype=float)
        codes = self._codes[:, column]
        known, size = codes >= 0, self._sizes[column]
        counts = np.bincount(codes[known], minlength=size)
        left = np.bincount(codes[known], weights=self._has_left[known], minlength=size)
        rates = (left + PRIOR_ROWS * self._has_left.mean()) / (counts + PRIOR_ROWS)
        return np.argsort(np.argsort(rates, kind="stable"), kind="stable").astype(float)

    def run(self, rounds: int) -> None:
        """Give each pair so many turns more."""
        for _ in range(rounds):
            for turn in self._turns:
                turn.take(self._has_left, self._log_odds)

    def effects(self) -> PairEffects:
        """Return what has been learned until now."""
        tables = [turn.table.copy() for turn in self._turns]
        effects = PairEffects(self._pairs, 0.0, [np.zeros(size) for size in self._sizes], tables)
        for (first, second), table in zip(self._pairs, tables, strict=True):
            weights = _counted(self._codes, (first, second), table.shape)
            by_first, by_second = _purify(table, weights)
            effects.mains[first] += by_first
            effects.mains[second] += by_second
            np.round(table, DIGITS, out=table)
        for column, main in enumerate(effects.mains):
            codes = self._codes[:, column]
            counts = np.bincount(codes[codes >= 0], minlength=len(main))
            if column in self._categories:
                self._untaught(effects, column, counts == 0)
            mean = float(main @ counts / max(counts.sum(), 1))
            main[counts > 0] -= mean
            effects.base += mean
        return effects

    def _untaught(self, effects: PairEffects, column: int, never: NDArray[np.bool_]) -> None:
        """Take away what trees made of categories that no row has: between others they have no place."""
        effects.mains[column][never] = 0.0
        for pair, table in zip(self._pairs, effects.tables, strict=True):
            if column in pair:
                np.moveaxis(table, pair.index(column), 0)[never] = 0.0


class _Turn:
    """One pair's table as it grows."""

    def __init__(self, codes: Codes, places: Sequence[Floats], pair: Pair) -> None:
        first, second = (places[column] for column in pair)
        self.table = np.zeros((len(first), len(second)))
        points = np.column_stack([np.repeat(first, len(second)), np.tile(second, len(first))])
        self._points = points.astype(np.float32)  # as trees take them
        self._rows = np.flatnonzero((codes[:, pair[0]] >= 0) & (codes[:, pair[1]] >= 0))
        known = codes[self._rows]
        self._cell = known[:, pair[0]] * len(second) + known[:, pair[1]]
        self._taken = np.flatnonzero(np.bincount(self._cell, minlength=self.table.size))
        self._taken_points = self._points[self._taken]

    def take(self, has_left: NDArray[np.bool_], log_odds: Floats) -> None:
        """Add the step of one tree to the table, and to the rows' log-odds."""
        if not len(self._taken):
            return
        probabilities = expit(log_odds[self._rows])
        gradient = self._sum(has_left[self._rows] - probabilities)
        information = np.maximum(self._sum(probabilities * (1 - probabilities)), 1e-12)
        least = min(LEAST_INFORMATION / information.sum(), 0.5)
        tree = DecisionTreeRegressor(max_leaf_nodes=LEAVES, min_weight_fraction_leaf=least, random_state=0)
        # Looking at the input again for each of thousands of small trees takes longer than the trees.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            tree.fit(self._taken_points, gradient / information, information, check_input=False)
        leaves = tree.tree_.apply(self._points)
        nodes = tree.tree_.node_count
        taken = leaves[self._taken]
        steps = np.bincount(taken, gradient, nodes) / (np.bincount(taken, information, nodes) + PENALTY)
        step = LEARNING_RATE * steps[leaves]
        self.table += step.reshape(self.table.shape)
        log_odds[self._rows] += step[self._cell]

    def _sum(self, of_rows: Floats) -> Floats:
        return np.asarray(np.bincount(self._cell, of_rows, self.table.size)[self._taken], dtype=float)


def _counted(codes: Codes, pair: Pair, shape: tuple[int, ...]) -> Floats:
    """Return how many rows each cell of a pair has."""
    first, second = codes[:, pair[0]], codes[:, pair[1]]
    known = (first >= 0) & (second >= 0)
    counts = np.bincount(first[known] * shape[1] + second[known], minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(float)


def _purify(table: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Take from a table, in place, what its rows and columns say by themselves; return that."""
    by_first, by_second = np.zeros(table.shape[0]), np.zeros(table.shape[1])
    rows, columns = np.maximum(weights.sum(axis=1), 1), np.maximum(weights.sum(axis=0), 1)
    for _ in range(MOST_SWEEPS):
        first = (table * weights).sum(axis=1) / rows
        table -= first[:, None]
        second = (table * weights).sum(axis=0) / columns
        table -= second
        by_first += first
        by_second += second
        if max(np.abs(first).max(), np.abs(second).max()) < PURE:
            break
    return by_first, by_second


class PairedAdditive(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # as above
    """The additive model of encoded columns with boosted pairs of the last ones, which are cells.

    `cells` is the number of these; `pairs` and `categories` are as `TableBoosting` takes them.
    """

    def __init__(
        self,
        additive: LogisticRegression,
        cells: int,
        pairs: Sequence[Pair],
        categories: Sequence[int],
        rounds: int,
    ) -> None:
        self.additive = additive
        self.cells = cells
        self.pairs = pairs
        self.categories = categories
        self.rounds = rounds

    def fit(self, encoded: Floats, has_left: NDArray[np.bool_]) -> "PairedAdditive":
        """Fit the additive model, and boost from there."""
        self.classes_ = np.unique(has_left)
        columns, cells = self.split(encoded)
        self.additive_ = clone(self.additive).fit(columns, has_left)
        boosting = TableBoosting(
            cells,
            has_left.astype(bool),
            self.additive_.decision_function(columns),
            pairs=self.pairs,
            categories=self.categories,
        )
        boosting.run(self.rounds)
        self.pair_effects_ = boosting.effects()
        return self

    def split(self, encoded: Floats) -> tuple[Floats, Floats]:
        """Return the columns of the additive model, and the cells."""
        return encoded[:, : -self.cells], encoded[:, -self.cells :]

    def decision_function(self, encoded: Floats) -> Floats:
        """Return the log-odds of each row."""
        columns, cells = self.split(encoded)
        return np.asarray(self.additive_.decision_function(columns) + self.pair_effects_.log_odds(cells))

    def predict(self, encoded: Floats) -> NDArray[Any]:
        """Return the likelier class of each row."""
        return np.asarray(self.classes_[(self.decision_function(encoded) > 0).astype(int)])
