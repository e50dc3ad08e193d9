"""The population stability index (PSI): how far two distributions are apart, whatever the number of rows."""

import math
from collections.abc import Sequence

EMPTY = 0.5  # rows that stand in an empty bin, whose logarithm there would not be


def stability_index(reference: Sequence[int], window: Sequence[int]) -> float:
    """Return the PSI of two samples' counts in the same bins; 0 where one of them is empty.

    A bin that both leave empty counts for nothing. It is a size and no test: chance alone makes it large
    where there are few rows.
    """
    rows, others = sum(reference), sum(window)
    if not rows or not others:
        return 0.0
    shares = (
        (max(a, EMPTY) / rows, max(b, EMPTY) / others)
        for a, b in zip(reference, window, strict=True)
        if a or b
    )
    return math.fsum((q - p) * math.log(q / p) for p, q in shares)
