"""Garbage collections: fewer of them, and without what is loaded at the start."""

import gc
from functools import cache

COLLECTED = (20_000, 20, 50)  # Python's own: 700, 10, 10


@cache
def collect_seldom() -> None:
    """Leave what is loaded by now out of garbage collections, and have fewer of them; once in a process.

    One that walks through all modules and the model holds every request up for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)
