"""The scorecard evaluated on whole columns: the same tables and curves, millions of rows a second.

Rows are taken in slices that fit the processor's cache, so the memory beyond the input is that of
the result and a few megabytes. `churn.model.scorecard` is the other reading of the same tables, one
record at a time; a test holds the two and the pipeline together.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.pairs import Axis, Cuts, PairTable
from churn.model.scorecard import NEGLIGIBLE, Curve, Scorecard, Table

if TYPE_CHECKING:
    # Serving does without it: it scores columns.
    import pandas as pd

SLICE_ROWS = 1 << 14
THREADS = 2  # numpy lets go of the interpreter's lock while it computes
WIDEST_TABLE = 1 << 16  # integers between a curve's ends, up to which each has its own place in a table

Floats = NDArray[np.float64]
Effect = Callable[[NDArray[Any]], Floats]

# The cells of some rows, by canonical field name: numbers are float64, NaN where unknown; categories
# are positions in `field.categories`, -1 where unknown.
Cells = Mapping[str, NDArray[Any]]


class ColumnScorecard:
    """A scorecard for whole columns; `names` are its fields, in order."""

    def __init__(self, card: Scorecard, dictionary: Dictionary) -> None:
        self._base, self._calibration = card.base, card.calibration
        self.base_value = card.base_value
        self.names = tuple(card.effects)
        self._fields = dictionary.by_name
        self._effects = [_compile(self._fields[name], effect) for name, effect in card.effects.items()]
        places = {name: place for place, name in enumerate(self.names)}
        self._axes = {name: _axis(self._fields[name], axis) for name, axis in card.pairs.axes.items()}
        self._pairs = [
            (places[table.fields[0]], places[table.fields[1]], _padded(table)) for table in card.pairs.tables
        ]

    def contributions_of(self, cells: Cells, rows: int) -> Floats:
        """Return what each field adds to the log-odds, (fields, rows); 0 where unknown or absent."""
        parts = np.zeros((len(self.names), rows))
        for place, (name, effect) in enumerate(zip(self.names, self._effects, strict=True)):
            if name in cells:
                parts[place] = effect(cells[name])
        if self._pairs:
            self._add_pairs(parts, cells)
        parts *= self._shares(parts.sum(axis=0))
        return parts

    def _add_pairs(self, parts: Floats, cells: Cells) -> None:
        """Add half of each pair's effect to each of its fields', as `churn.model.pairs`."""
        at = {self.names.index(name): axis(cells[name]) for name, axis in self._axes.items() if name in cells}
        for first, second, table in self._pairs:
            if first in at and second in at:
                half = table[at[first], at[second]]
                parts[first] += half
                parts[second] += half

    def _shares(self, totals: Floats) -> Floats:
        """Return what each row's effects are multiplied by, as `Calibration.share`."""
        # Where a total is too small to divide by, all that it stands for is worth the same share.
        safe = np.where(np.abs(totals) < NEGLIGIBLE, 1.0, totals)
        shares = (self._log_odds(self._base + safe) - self.base_value) / safe
        shares[safe != totals] = self._calibration.share(self._base, 0.0)
        return shares

    def _log_odds(self, totals: Floats) -> Floats:
        """Return the calibrated log-odds of sums of effects, as `Calibration.log_odds`."""
        # ln p and ln(1 - p) by one exponential of a negative number, which cannot overflow.
        tail = np.log1p(np.exp(-np.abs(totals)))
        log_odds = self._calibration.low * (np.minimum(totals, 0.0) - tail)
        log_odds += self._calibration.high * (np.maximum(totals, 0.0) + tail)
        log_odds += self._calibration.intercept
        return log_odds

    def probabilities_of(self, contributions: Floats) -> Floats:
        """Return the probability to leave, (rows,), of contributions (fields, rows)."""
        log_odds = contributions.sum(axis=0) + self.base_value
        # Only the exponential of a negative number, which cannot overflow.
        small = np.exp(-np.abs(log_odds))
        return np.asarray(np.where(log_odds >= 0, 1.0, small) / (1.0 + small))

    def contributions(self, table: "pd.DataFrame | pa.Table") -> Floats:
        """Return what each field adds to the log-odds of each row of a table, (fields, rows).

        Columns go by canonical field name; a field without one is unknown, and further columns are
        not read. Numbers are numbers, null or NaN where unknown; categories text or categorical.
        """
        parts = np.empty((len(self.names), len(table)))

        def fill(start: int, cells: Cells, rows: int) -> None:
            parts[:, start : start + rows] = self.contributions_of(cells, rows)

        self._each_slice(table, fill)
        return parts

    def probabilities(self, table: "pd.DataFrame | pa.Table") -> Floats:
        """Return the probability to leave of each row of a table, (rows,); columns as `contributions`."""
        probabilities = np.empty(len(table))

        def fill(start: int, cells: Cells, rows: int) -> None:
            contributions = self.contributions_of(cells, rows)
            probabilities[start : start + rows] = self.probabilities_of(contributions)

        self._each_slice(table, fill)
        return probabilities

    def _each_slice(self, table: "pd.DataFrame | pa.Table", fill: Callable[[int, Cells, int], None]) -> None:
        names = [name for name in self.names if name in _column_names(table)]

        def fill_slice(start: int) -> None:
            if isinstance(table, pa.Table):
                part: Any = table.slice(start, SLICE_ROWS)
                cells = {name: _arrow_cells(self._fields[name], part.column(name)) for name in names}
            else:
                part = table.iloc[start : start + SLICE_ROWS]
                cells = {name: _frame_cells(self._fields[name], part[name]) for name in names}
            fill(start, cells, len(part))

        with ThreadPoolExecutor(THREADS) as threads:
            for _ in threads.map(fill_slice, range(0, len(table), SLICE_ROWS)):
                pass


def _column_names(table: "pd.DataFrame | pa.Table") -> set[str]:
    return set(table.column_names if isinstance(table, pa.Table) else table.columns)


def _frame_cells(field: Field, column: "pd.Series[Any]") -> NDArray[Any]:
    if field.numeric:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    categorical = column.astype("category")
    return _positions(field, categorical.cat.categories)[categorical.cat.codes]


def _arrow_cells(field: Field, column: Any) -> NDArray[Any]:
    if field.numeric:
        return np.concatenate([_numbers(chunk) for chunk in column.chunks])
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    # Each chunk may have a dictionary of its own.
    codes = [
        _positions(field, chunk.dictionary.to_pylist())[chunk.indices.fill_null(-1).to_numpy()]
        for chunk in encoded.chunks
    ]
    return np.concatenate(codes)


def _numbers(chunk: Any) -> Floats:
    return np.asarray(pc.cast(chunk, pa.float64(), safe=False).to_numpy(zero_copy_only=False))


def _positions(field: Field, categories: Any) -> NDArray[np.int8]:
    """Return the place of each category among the field's, and last -1: that of code -1."""
    position = {category: place for place, category in enumerate(field.categories)}
    return np.array([*(position.get(category, -1) for category in categories), -1], dtype=np.int8)


def _compile(field: Field, effect: Table | Curve) -> Effect:
    if isinstance(effect, Curve):
        return _CurveColumn(effect)
    # Unknown is the last one: position -1.
    points = np.array([*(effect.of(category) for category in field.categories), 0.0])
    return lambda codes: points[codes]


def _axis(field: Field, axis: Axis) -> Callable[[NDArray[Any]], NDArray[np.intp]]:
    """Return what finds the cell of each of a column's values; the last, -1, where unknown."""
    if isinstance(axis, Cuts):
        cuts = np.array(axis.cuts)
        return lambda numbers: np.where(np.isnan(numbers), -1, np.searchsorted(cuts, numbers, side="right"))
    places = np.array([*(axis.place(category) for category in field.categories), -1])
    return lambda codes: places[codes]


def _padded(table: PairTable) -> Floats:
    """Return half of each effect, and none behind them for what is unknown."""
    return np.pad(np.array(table.effects) / 2, ((0, 1), (0, 1)))


class _CurveColumn:
    """A curve for a column of numbers; whole numbers are looked up, where that is no wide table."""

    def __init__(self, curve: Curve) -> None:
        self._breaks = np.array(curve.breaks)
        self._coefficients = np.array(curve.pieces).T  # the highest power first
        # Beyond its ends a curve is constant, so whole numbers there may stand for all that follow.
        self._low, self._high = np.floor(self._breaks[0]), np.ceil(self._breaks[-1])
        width = int(self._high - self._low) + 1
        whole = np.arange(width) + self._low if width <= WIDEST_TABLE else None
        self._table = None if whole is None else self._polynomial(whole)

    def __call__(self, numbers: NDArray[Any]) -> Floats:
        at = np.clip(numbers, self._low, self._high)
        unknown = np.isnan(at)
        some_unknown = bool(unknown.any())
        if some_unknown:
            at[unknown] = self._low
        effects = self._look_up(at)
        if some_unknown:
            effects[unknown] = 0.0
        return effects

    def _look_up(self, at: Floats) -> Floats:
        if self._table is None:
            return self._polynomial(at)
        offsets = at - self._low
        places = offsets.astype(np.int32)
        if np.array_equal(places, offsets):
            return np.asarray(self._table[places])
        return self._polynomial(at)

    def _polynomial(self, numbers: Floats) -> Floats:
        at = np.clip(numbers, self._breaks[0], self._breaks[-1])
        # A break belongs to the piece on its right, but for the last.
        pieces = np.searchsorted(self._breaks[1:-1], at, side="right")
        distance = at - self._breaks[pieces]
        total = np.zeros(len(at))
        for coefficients in self._coefficients:
            total = total * distance + coefficients[pieces]
        return total
