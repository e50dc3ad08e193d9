"""Marks that supervisor and workers leave each other: empty files in the supervisor's folder.

A worker that serves leaves one named after its process. The supervisor leaves one when the workers, which it
starts before its checks, may open what they need.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

FOLDER = "_CHURN_MARKS"  # set for the workers: where that folder is
SUPERVISOR = "_CHURN_SUPERVISOR"  # set for the workers: who starts them
SERVING = "[0-9]*"

_CHECKED = "checked"
_IDENTITIES = "identities"
_LOOK = 0.01  # seconds


def tell_checked(folder: Path, *, has_identities: bool) -> None:
    """In the supervisor, let the workers open what they need; tell whether the identities have been made."""
    if has_identities:
        (folder / _IDENTITIES).touch()
    (folder / _CHECKED).touch()


def wait_until_checked() -> bool:
    """In a worker, wait for the supervisor's checks; return whether the identities have been made.

    Where there is no supervisor, nobody has made them.

    Raises:
        SystemExit: the supervisor is no more.
    """
    if FOLDER not in os.environ:
        return False
    folder, supervisor = Path(os.environ[FOLDER]), int(os.environ[SUPERVISOR])
    while not (folder / _CHECKED).exists():
        if os.getppid() != supervisor:
            raise SystemExit(1)
        time.sleep(_LOOK)
    return (folder / _IDENTITIES).exists()


def tell_ready() -> None:
    """In a worker, tell the supervisor that it serves; nothing elsewhere."""
    if FOLDER in os.environ:
        with suppress(OSError):  # it is about to end, and has cleared up
            Path(os.environ[FOLDER], str(os.getpid())).touch()


def serving_workers() -> int | None:
    """Return how many workers serve, as far as the supervisor knows; None where there is none."""
    return sum(1 for _ in Path(os.environ[FOLDER]).glob(SERVING)) if FOLDER in os.environ else None
