"""Whether two samples have the same distribution: Pearson's χ² on bins, in plain Python."""

import math
from collections.abc import Sequence

# Rows of the smaller sample that a bin is to have. The usual 5 holds for p-values of some percent; one look
# of many fields and weeks asks for p-values of 1e-4, where it alarms twice as often as it should.
LEAST_EXPECTED = 10.0


def survival(statistic: float, freedom: int) -> float:
    """Return the probability that χ² exceeds a statistic; `freedom` is a whole number of degrees.

    By the recurrence of the incomplete gamma function (Abramowitz and Stegun, 6.5.22), which then is finite.
    """
    if statistic <= 0:
        return 1.0
    half = statistic / 2
    order = 0.5 if freedom % 2 else 1.0
    total = math.erfc(math.sqrt(half)) if freedom % 2 else math.exp(-half)
    term = math.exp(order * math.log(half) - half - math.lgamma(order + 1))
    while order < freedom / 2:
        total += term
        order += 1
        term *= half / order
    return min(1.0, total)


def p_value(reference: Sequence[int], window: Sequence[int]) -> float | None:
    """Return how likely two samples differ so much by chance, by their counts in the same bins.

    None where too few rows are left for two bins.
    """
    pairs = merged(reference, window)
    if len(pairs) < 2:
        return None
    # Each weighs as the other: neither sample is taken as the truth.
    ratio = math.sqrt(sum(b for _, b in pairs) / sum(a for a, _ in pairs))
    statistic = math.fsum((a * ratio - b / ratio) ** 2 / (a + b) for a, b in pairs)
    return survival(statistic, len(pairs) - 1)


def merged(reference: Sequence[int], window: Sequence[int]) -> list[tuple[int, int]]:
    """Return the counts of both samples by bin, so that each bin has enough rows.

    One that has too few goes to the next, and at the end to the one before. Which do, the sum of both samples
    decides: a choice by their difference would bias the test.
    """
    rows, others = sum(reference), sum(window)
    if not rows or not others:
        return []
    least = LEAST_EXPECTED * (rows + others) / min(rows, others)
    bins: list[tuple[int, int]] = []
    first = second = 0
    for a, b in zip(reference, window, strict=True):
        first, second = first + a, second + b
        if first + second >= least:
            bins.append((first, second))
            first = second = 0
    if bins:
        bins[-1] = (bins[-1][0] + first, bins[-1][1] + second)
    return bins
