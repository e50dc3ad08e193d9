"""Which of many tests tell something: their false discoveries are kept at a level."""

from collections.abc import Sequence


def discoveries(p_values: Sequence[float], level: float) -> list[bool]:
    """Return which p-values count, by Benjamini and Hochberg (1995).

    Where nothing has moved, the probability that any counts is the level.
    """
    tests = len(p_values)
    by_size = sorted(range(tests), key=p_values.__getitem__)
    counting = (rank for rank, at in enumerate(by_size, 1) if p_values[at] <= level * rank / tests)
    found = set(by_size[: max(counting, default=0)])
    return [at in found for at in range(tests)]
