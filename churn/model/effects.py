"""What each field does to the risk, read from the scorecard and the training data's distribution."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.scorecard import Curve, Scorecard, Table

GRID = 120  # points of a curve, beside its breaks
DISCRETE = 9  # an integer with at most so many steps between its ends is drawn value by value


@dataclass(frozen=True, slots=True)
class FieldEffect:
    """One field: where its effect was looked at, and how many employees are where.

    `values` and `log_odds` (before calibration) belong together; `counts` are of the employees, one for
    each value where the field is `discrete`, else one between each two `edges`. Both are empty where the
    training data knew nothing of the field. `importance` is the mean distance of the effect from 0.
    """

    field: Field
    values: tuple[float | str, ...]
    log_odds: tuple[float, ...]
    counts: tuple[int, ...]
    edges: tuple[float, ...]
    importance: float

    @property
    def discrete(self) -> bool:
        """Whether the field has a few values, each with employees of its own."""
        return not self.edges

    @property
    def flat(self) -> bool:
        """Whether the field does nothing, as where it was never known or never varied."""
        return not any(self.log_odds)

    @property
    def lowest(self) -> tuple[float | str, float]:
        """The value that lowers the risk most, and what it multiplies the odds by."""
        return self._at(min(self.log_odds))

    @property
    def highest(self) -> tuple[float | str, float]:
        """The value that raises the risk most, and what it multiplies the odds by."""
        return self._at(max(self.log_odds))

    def _at(self, log_odds: float) -> tuple[float | str, float]:
        return self.values[self.log_odds.index(log_odds)], math.exp(log_odds)


def read(
    card: Scorecard, summaries: Sequence[Mapping[str, Any]], dictionary: Dictionary
) -> list[FieldEffect]:
    """Return the effect of every field of a scorecard, the most important first.

    `summaries` are those of the training data in the model's report.
    """
    by_name = {summary["name"]: summary for summary in summaries}
    effects = [
        _effect(dictionary.by_name[name], effect, by_name[name]) for name, effect in card.effects.items()
    ]
    return sorted(effects, key=lambda effect: -effect.importance)


def shares(card: Scorecard) -> tuple[float, float, float]:
    """Return what calibration multiplies effects by: at least, for the average employee, at most."""
    slopes = card.calibration.low, card.calibration.high
    return min(slopes), card.calibration.share(card.base, 0.0), max(slopes)


def _effect(field: Field, effect: Table | Curve, summary: Mapping[str, Any]) -> FieldEffect:
    if isinstance(effect, Table):
        names = tuple(effect.points)
        counted = dict(zip(summary["categories"], summary["counts"], strict=True))
        employees = tuple(counted.get(name, 0) for name in names)
        return _discrete(field, names, tuple(effect.points.values()), employees)
    edges, counts = tuple(summary["edges"]), tuple(summary["counts"])
    if not edges:
        return FieldEffect(field, (), (), (), (), 0.0)
    if field.kind == "integer" and edges[-1] - edges[0] <= DISCRETE:
        numbers = _integers(edges)
        log_odds = tuple(effect.of(number) for number in numbers)
        return _discrete(field, numbers, log_odds, tuple(_count(number, edges, counts) for number in numbers))
    return _continuous(field, effect, edges, counts)


def _discrete(
    field: Field, values: tuple[float | str, ...], log_odds: tuple[float, ...], counts: tuple[int, ...]
) -> FieldEffect:
    return FieldEffect(field, values, log_odds, counts, (), _mean_distance(log_odds, counts))


def _continuous(
    field: Field, effect: Curve, edges: tuple[float, ...], counts: tuple[int, ...]
) -> FieldEffect:
    if field.kind == "integer":
        values = _integers(edges)
    else:
        step = (edges[-1] - edges[0]) / GRID
        grid = {edges[0] + number * step for number in range(GRID + 1)}
        values = tuple(sorted(grid | {at for at in effect.breaks if edges[0] <= at <= edges[-1]}))
    middles = [effect.of((low + high) / 2) for low, high in pairwise(edges)]
    log_odds = tuple(effect.of(value) for value in values)
    return FieldEffect(field, values, log_odds, counts, edges, _mean_distance(tuple(middles), counts))


def _integers(edges: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(number) for number in range(math.ceil(edges[0]), math.floor(edges[-1]) + 1))


def _count(number: float, edges: tuple[float, ...], counts: tuple[int, ...]) -> int:
    """Return the employees in the bin of a number; the last bin holds both of its ends."""
    place = bisect_right(edges, number) - 1
    return counts[min(place, len(counts) - 1)]


def _mean_distance(log_odds: tuple[float, ...], counts: tuple[int, ...]) -> float:
    everyone = sum(counts)
    total = math.fsum(abs(effect) * n for effect, n in zip(log_odds, counts, strict=True))
    return total / everyone if everyone else 0.0
