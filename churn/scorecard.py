"""The model as served: a table or a curve per field, and nothing to unpickle. Standard library only.

`churn.pipeline.compile_scorecard` makes one from the fitted pipeline, and the model store keeps it
as JSON beside the pickle. An employee's log-odds are the base value plus one contribution a field.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """The contribution of each category, in log-odds; of any other, none."""

    points: Mapping[str, float]

    def contribution(self, value: str) -> float:
        """Return what a category adds to the log-odds."""
        return self.points.get(value, 0.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """The contribution of a number, in log-odds: polynomials between breaks, constant outside.

    `pieces` has one row between each two breaks: coefficients of the distance from the left one,
    the highest power first.
    """

    breaks: tuple[float, ...]
    pieces: tuple[tuple[float, ...], ...]

    def contribution(self, value: float) -> float:
        """Return what a number adds to the log-odds."""
        breaks = self.breaks
        at = breaks[0] if value < breaks[0] else breaks[-1] if value > breaks[-1] else value
        piece = min(bisect_right(breaks, at), len(self.pieces)) - 1
        distance = at - breaks[piece]
        total = 0.0
        for coefficient in self.pieces[piece]:
            total = total * distance + coefficient
        return total


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A base value (the log-odds of the average employee) and each field's effect on it."""

    base_value: float
    effects: Mapping[str, Table | Curve]

    def contributions(self, record: Mapping[str, Any]) -> dict[str, float]:
        """Return each field's contribution in log-odds, by canonical name; 0 where it is unknown."""
        return {
            name: 0.0 if (value := record.get(name)) is None else effect.contribution(value)
            for name, effect in self.effects.items()
        }

    def probability(self, contributions: Mapping[str, float]) -> float:
        """Return the probability to leave: the logistic function of base value and contributions."""
        log_odds = self.base_value + math.fsum(contributions.values())
        # Two forms of one function, each where its exponential cannot overflow.
        if log_odds >= 0:
            return 1 / (1 + math.exp(-log_odds))
        return math.exp(log_odds) / (1 + math.exp(log_odds))

    def to_dict(self) -> dict[str, Any]:
        """Return the scorecard as plain values, fit for JSON."""
        effects = {
            name: {"points": dict(effect.points)}
            if isinstance(effect, Table)
            else {"breaks": list(effect.breaks), "pieces": [list(piece) for piece in effect.pieces]}
            for name, effect in self.effects.items()
        }
        return {"base_value": self.base_value, "effects": effects}


def from_dict(plain: Mapping[str, Any]) -> Scorecard:
    """Return the scorecard that `Scorecard.to_dict` wrote; raises KeyError where it is none."""
    effects: dict[str, Table | Curve] = {
        name: Table(effect["points"])
        if "points" in effect
        else Curve(tuple(effect["breaks"]), tuple(tuple(piece) for piece in effect["pieces"]))
        for name, effect in plain["effects"].items()
    }
    return Scorecard(plain["base_value"], effects)
