"""The marks of workers that serve: empty files named after their processes, in their supervisor's folder."""

import os
from contextlib import suppress
from pathlib import Path

FOLDER = "_CHURN_READY"  # set for the workers: where that folder is
MARKS = "[0-9]*"


def tell_ready() -> None:
    """In a worker, tell the supervisor that it serves; nothing elsewhere."""
    if FOLDER in os.environ:
        with suppress(OSError):  # it is about to end, and has cleared up
            Path(os.environ[FOLDER], str(os.getpid())).touch()


def serving_workers() -> int | None:
    """Return how many workers serve, as far as the supervisor knows; None where there is none."""
    return sum(1 for _ in Path(os.environ[FOLDER]).glob(MARKS)) if FOLDER in os.environ else None
