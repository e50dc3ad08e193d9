"""An effect with steps upon it: what pairs of fields leave to each field by itself."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from churn.model.pairs import Axis, Cuts, Names
from churn.model.scorecard import Curve, Table


def with_steps(effect: Table | Curve, axis: Axis, steps: Sequence[float]) -> Table | Curve:
    """Return an effect to which the step of each cell is added; cells without one keep theirs.

    Cuts lie between the ends of a curve.
    """
    if isinstance(effect, Table) and isinstance(axis, Names):
        by_name = dict(zip(axis.names, steps, strict=False))
        return Table({name: points + by_name.get(name, 0.0) for name, points in effect.points.items()})
    if not isinstance(effect, Curve) or not isinstance(axis, Cuts) or not axis.cuts:
        return effect
    breaks = tuple(sorted({*effect.breaks, *axis.cuts}))
    pieces = tuple(_piece(effect, low, steps[axis.place(low)]) for low, _ in pairwise(breaks))
    return Curve(breaks, pieces)


def _piece(curve: Curve, low: float, step: float) -> tuple[float, ...]:
    """Return the polynomial from a number on, in the distance from there, and the step upon it."""
    place = min(bisect_right(curve.breaks, low), len(curve.pieces)) - 1
    distance = low - curve.breaks[place]
    coefficients = list(curve.pieces[place])
    # Horner's scheme again and again: the coefficients of a polynomial around another point.
    for end in range(len(coefficients), 1, -1):
        for at in range(1, end):
            coefficients[at] += coefficients[at - 1] * distance
    coefficients[-1] += step
    return tuple(coefficients)
