"""The spool's folder: its segments by name, how large and how old they are."""

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from churn.core.atomic_file import sync

SUFFIX = ".spool"
_NAME = re.compile(r"\d{20}\.spool")  # nanoseconds since 1970, or the next number after the newest


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How full a spool is, over all processes.

    `set_aside` counts records that could not be replayed; `bytes` has them too. `oldest` is the age of the
    oldest of the others in seconds, 0 where there is none.
    """

    records: int
    bytes: int
    set_aside: int
    max_bytes: int
    oldest: float


@lru_cache(maxsize=1024)
def lines(path: Path, _size: int) -> int:
    """Return how many lines a file of that size has; such a file is written once, and read here once."""
    return path.read_bytes().count(b"\n")


def sizes(folder: Path) -> dict[str, int]:
    """Return the names of the segments in a folder, in no order, with their bytes; may raise OSError."""
    sizes = {}
    try:
        with os.scandir(folder) as found:
            for one in found:
                if _NAME.fullmatch(one.name):
                    with suppress(FileNotFoundError):  # another process has just removed it
                        sizes[one.name] = one.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        pass  # nothing was spooled yet
    return sizes


def age(name: str) -> float:
    """Return how many seconds ago the segment of a name was begun."""
    return max(0.0, (time.time_ns() - int(name.removesuffix(SUFFIX))) / 1e9)


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner reads, where there is none; it lasts."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)
