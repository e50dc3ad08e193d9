"""Two servers measured in pairs, one right after the other, several times after several starts.

Who goes first changes with each pair: what a turn leaves for the disk to do falls to both alike. Two
processes of the same code differ by some per cent for as long as they live: so both are started anew a few
times.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.serving import Target

Pair = tuple[float, float]  # the first one's answers a second, and the other's


@dataclass(frozen=True, slots=True)
class PairedFigure:
    """Medians of both, in answers a second; the mean of their ratios, and its standard error."""

    first: float
    other: float
    ratio: float
    error: float


def measure_pairs(
    targets: tuple[Target, Target], names: tuple[str, str], clients: int, *, pairs: int, seconds: float
) -> list[Pair]:
    """Return what both answer so many clients, in pairs of turns of so many seconds."""
    return [_pair(targets, names, clients, seconds, (0, 1) if turn % 2 else (1, 0)) for turn in range(pairs)]


def _pair(
    targets: tuple[Target, Target],
    names: tuple[str, str],
    clients: int,
    seconds: float,
    order: tuple[int, int],
) -> Pair:
    speed = {at: targets[at].measure(names[at], clients, seconds).per_second for at in order}
    return speed[0], speed[1]


def paired_figure(starts: Sequence[Sequence[Pair]]) -> PairedFigure:
    """Return the geometric mean of the pairs' ratios, with the standard error of the starts' means.

    Where there is one start, the error is that of the pairs.
    """
    logs = [[math.log(first / other) for first, other in pairs] for pairs in starts]
    ratios = [statistics.mean(found) for found in logs] if len(logs) > 1 else logs[0]
    pairs = [pair for found in starts for pair in found]
    return PairedFigure(
        statistics.median(first for first, _ in pairs),
        statistics.median(other for _, other in pairs),
        math.exp(statistics.mean(ratios)),
        statistics.stdev(ratios) / math.sqrt(len(ratios)),
    )
