"""The model as served: a table or a curve per field, and nothing to unpickle. Standard library only.

`churn.model.pipeline.compile_scorecard` makes one from the fitted pipeline, and the model store keeps it
as JSON beside the pickle. An employee's log-odds are the base value plus one contribution a field.

Each field has an *effect*, which depends on its own value only. The sum of the effects is calibrated,
and a field's *contribution* is its share of the calibrated sum, in proportion to its effect: the
Aumann-Shapley value of a function of a sum, and the only division that adds up exactly and depends on
nothing but the effects (E. Friedman, "Paths and consistency in additive cost sharing", 2004).

A model may have pairs of fields, too. Half of a pair's effect belongs to each of its fields: see
`churn.model.pairs`.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from churn.model import pairs as paired
from churn.model.pairs import Pairs

# Of a total so small, the calibration's slope is as good as its chord, and loses no digits.
NEGLIGIBLE = 1e-6

MOST_CACHED = 4096  # values of a field, whose effects are kept


@dataclass(frozen=True, slots=True)
class Table:
    """The effect of each category; of any other, none."""

    points: Mapping[str, float]

    def of(self, value: str) -> float:
        """Return the effect of a category."""
        return self.points.get(value, 0.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """The effect of a number: polynomials between breaks, constant outside.

    `pieces` has one row between each two breaks: coefficients of the distance from the left one,
    the highest power first.
    """

    breaks: tuple[float, ...]
    pieces: tuple[tuple[float, ...], ...]

    def of(self, value: float) -> float:
        """Return the effect of a number."""
        breaks = self.breaks
        at = breaks[0] if value < breaks[0] else breaks[-1] if value > breaks[-1] else value
        piece = min(bisect_right(breaks, at), len(self.pieces)) - 1
        distance = at - breaks[piece]
        total = 0.0
        for coefficient in self.pieces[piece]:
            total = total * distance + coefficient
        return total


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a sum of effects to log-odds that mean what they say: beta calibration.

    With p the logistic function of the sum: `intercept` + `low` ln p - `high` ln(1 - p), which rises
    with `low` where p is small and with `high` where it is large (M. Kull, T. Silva Filho, P. Flach,
    "Beta calibration", AISTATS 2017). Without arguments, it changes nothing; without slopes, it says
    the same of everybody.
    """

    intercept: float = 0.0
    low: float = 1.0
    high: float = 1.0

    @property
    def never_falls(self) -> bool:
        """Whether the log-odds rise with the sum, or stay, wherever it lies."""
        return self.low >= 0 and self.high >= 0

    def log_odds(self, total: float) -> float:
        """Return the calibrated log-odds of a sum of effects."""
        return self.intercept + self.low * _log_expit(total) - self.high * _log_expit(-total)

    def share(self, base: float, total: float) -> float:
        """Return what each effect is multiplied by, for effects of this total upon this base."""
        if abs(total) < NEGLIGIBLE:
            p = math.exp(_log_expit(base))
            return self.low * (1 - p) + self.high * p
        return (self.log_odds(base + total) - self.log_odds(base)) / total


@dataclass(frozen=True)
class Scorecard:
    """Each field's effect, the base that they start from (the average employee), the calibration, and pairs.

    Effects and `base` are log-odds before calibration, `base_value` and contributions after it.
    """

    base: float
    effects: Mapping[str, Table | Curve]
    calibration: Calibration = field(default_factory=Calibration)
    pairs: Pairs = field(default_factory=Pairs)

    def __reduce__(self) -> tuple[object, ...]:
        """Pass from one process to another without what was computed: functions cannot."""
        return Scorecard, (self.base, self.effects, self.calibration, self.pairs)

    @cached_property
    def base_value(self) -> float:
        """The log-odds of the average employee."""
        return self.calibration.log_odds(self.base)

    @cached_property
    def _effects(self) -> Mapping[str, Callable[[Any], float]]:
        # Few values make most of a company's records: an effect is computed once for each.
        return {name: lru_cache(MOST_CACHED)(effect.of) for name, effect in self.effects.items()}

    def effects_of(self, record: Mapping[str, Any]) -> dict[str, float]:
        """Return each field's effect with half of its pairs', by canonical name; 0 where it is unknown."""
        effects = self._alone(record)
        if self.pairs:
            self.pairs.add_to(effects, record)
        return effects

    def _alone(self, record: Mapping[str, Any]) -> dict[str, float]:
        return {
            name: 0.0 if (value := record.get(name)) is None else effect(value)
            for name, effect in self._effects.items()
        }

    def effect_of(self, name: str, value: Any) -> float:
        """Return the effect of one known value by itself, without pairs."""
        return self._effects[name](value)

    def contributions(self, record: Mapping[str, Any]) -> dict[str, float]:
        """Return each field's contribution in log-odds, by canonical name; 0 where it is unknown."""
        return self.calibrated(self.effects_of(record))

    def calibrated(self, effects: Mapping[str, float]) -> dict[str, float]:
        """Return the contributions that all of an employee's effects come to."""
        share = self.calibration.share(self.base, math.fsum(effects.values()))
        return {name: effect * share for name, effect in effects.items()}

    def changes(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float]:
        """Return what each field's change from one record to another adds to the log-odds; 0 where it stayed.

        Adds up to the difference of the two logits, divided as contributions are.
        """
        old, new = self._alone(before), self._alone(after)
        moves = {name: new[name] - effect for name, effect in old.items()}
        if self.pairs:
            self.pairs.add_to(old, before)
            self.pairs.move(moves, before, after)
        share = self.calibration.share(self.base + math.fsum(old.values()), math.fsum(moves.values()))
        return {name: move * share for name, move in moves.items()}

    def probability(self, contributions: Mapping[str, float]) -> float:
        """Return the probability to leave: the logistic function of base value and contributions."""
        return math.exp(_log_expit(self.base_value + math.fsum(contributions.values())))

    def to_dict(self) -> dict[str, Any]:
        """Return the scorecard as plain values, fit for JSON."""
        effects = {
            name: {"points": dict(effect.points)}
            if isinstance(effect, Table)
            else {"breaks": list(effect.breaks), "pieces": [list(piece) for piece in effect.pieces]}
            for name, effect in self.effects.items()
        }
        plain = {"base": self.base, "calibration": asdict(self.calibration), "effects": effects}
        return plain | {"pairs": self.pairs.to_dict()} if self.pairs else plain


def from_dict(plain: Mapping[str, Any]) -> Scorecard:
    """Return the scorecard that `Scorecard.to_dict` wrote; raises KeyError where it is none."""
    effects: dict[str, Table | Curve] = {
        name: Table(effect["points"])
        if "points" in effect
        else Curve(tuple(effect["breaks"]), tuple(tuple(piece) for piece in effect["pieces"]))
        for name, effect in plain["effects"].items()
    }
    pairs = paired.from_dict(plain["pairs"]) if "pairs" in plain else Pairs()
    return Scorecard(plain["base"], effects, Calibration(**plain["calibration"]), pairs)


def _log_expit(x: float) -> float:
    """Return the logarithm of the logistic function, where its exponential cannot overflow."""
    return -math.log1p(math.exp(-x)) if x >= 0 else x - math.log1p(math.exp(x))
