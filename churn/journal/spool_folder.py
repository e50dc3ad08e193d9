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
    """How full the spool of all processes is.

    `set_aside` counts records that could not be replayed; `bytes` includes them. `oldest` is the age in
    seconds of the oldest other record, 0 where there is none.
    """

    records: int
    bytes: int
    set_aside: int
    max_bytes: int
    oldest: float


@lru_cache(maxsize=1024)
def lines(path: Path, _size: int) -> int:
    """Return how many lines a file of that size has; such a file is never changed, and read only once."""
    return path.read_bytes().count(b"\n")


def sizes(folder: Path) -> dict[str, int]:
    """Return the names and bytes of the segments in a folder, in no order; may raise OSError."""
    sizes = {}
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with suppress(FileNotFoundError):  # another process has just removed it
                    sizes[entry.name] = entry.stat().st_size
    return sizes


def age(name: str) -> float:
    """Return the age in seconds of the segment with this name."""
    return max(0.0, (time.time_ns() - int(name.removesuffix(SUFFIX))) / 1e9)


def make_folder(folder: Path) -> None:
    """Make a durable folder that only its owner may read, where there is none."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)
