"""How much a number of rows can show: the power of a look, worked out beforehand."""

import math
from statistics import NormalDist

POWER = 0.8
ENOUGH = 0.5  # standard deviations of the log-odds: fewer rows than show such a shift can tell nothing


def detectable(rows: int, reference_rows: int, level: float) -> float:
    """Return the shift of a mean, in standard deviations, that a look at so many rows shows with POWER.

    The reference is a sample, too: beyond some number of rows, more of them show no less.
    """
    return _reach(level) * math.sqrt(1 / rows + 1 / reference_rows)


def rows_for(shift: float, reference_rows: int, level: float) -> int | None:
    """Return how many rows show such a shift; None where the reference is too small for any number to."""
    left = (shift / _reach(level)) ** 2 - 1 / reference_rows
    return math.ceil(1 / left) if left > 0 else None


def _reach(level: float) -> float:
    return NormalDist().inv_cdf(1 - level / 2) + NormalDist().inv_cdf(POWER)
