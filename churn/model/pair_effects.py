"""What each pair of fields does to the risk, read from the scorecard where the training data lay."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.pairs import Names, PairTable
from churn.model.scorecard import Scorecard

GRID = 24  # values of a number, at which a table is looked at

Value = float | str


@dataclass(frozen=True, slots=True)
class PairEffect:
    """One pair: the values of its first and its second field, and the effect of each two of them.

    `log_odds` (before calibration) has a row for each value of the first.
    """

    fields: tuple[Field, Field]
    values: tuple[tuple[Value, ...], tuple[Value, ...]]
    log_odds: tuple[tuple[float, ...], ...]

    @property
    def lowest(self) -> tuple[tuple[Value, Value], float]:
        """The values that lower the risk most, and what they multiply the odds by."""
        return self._at(min(effect for row in self.log_odds for effect in row))

    @property
    def highest(self) -> tuple[tuple[Value, Value], float]:
        """The values that raise the risk most, and what they multiply the odds by."""
        return self._at(max(effect for row in self.log_odds for effect in row))

    @property
    def span(self) -> float:
        """How far the highest lies from the lowest, in log-odds."""
        return math.log(self.highest[1] / self.lowest[1])

    def _at(self, log_odds: float) -> tuple[tuple[Value, Value], float]:
        row = next(number for number, effects in enumerate(self.log_odds) if log_odds in effects)
        column = self.log_odds[row].index(log_odds)
        return (self.values[0][row], self.values[1][column]), math.exp(log_odds)


def read(card: Scorecard, summaries: Sequence[Mapping[str, Any]], dictionary: Dictionary) -> list[PairEffect]:
    """Return the effect of every pair of a scorecard, the widest first; `summaries` as in the report."""
    by_name = {summary["name"]: summary for summary in summaries}
    pairs = [_read(card, table, by_name, dictionary) for table in card.pairs.tables]
    return sorted(pairs, key=lambda pair: -pair.span)


def _read(
    card: Scorecard, table: PairTable, summaries: Mapping[str, Mapping[str, Any]], dictionary: Dictionary
) -> PairEffect:
    first, second = (dictionary.by_name[name] for name in table.fields)
    axes = [card.pairs.axes[name] for name in table.fields]
    values = [
        axis.names if isinstance(axis, Names) else _numbers(field, summaries[field.name]["edges"])
        for axis, field in zip(axes, (first, second), strict=True)
    ]
    places = [[axis.place(value) for value in own] for axis, own in zip(axes, values, strict=True)]  # type: ignore[arg-type]
    log_odds = tuple(tuple(table.of(a, b) for b in places[1]) for a in places[0])
    return PairEffect((first, second), (tuple(values[0]), tuple(values[1])), log_odds)


def _numbers(field: Field, edges: Sequence[float]) -> tuple[float, ...]:
    """Return numbers from the smallest to the largest of the training data."""
    low, high = edges[0], edges[-1]
    if field.kind == "integer" and high - low < GRID:
        return tuple(float(number) for number in range(math.ceil(low), math.floor(high) + 1))
    return tuple(low + (high - low) * step / (GRID - 1) for step in range(GRID))
