"""Some rows of a file, not yet interpreted, and what is said of a file that cannot be read."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.core.errors import ExtractError, Problem
from churn.i18n import file_sentences

BATCH_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class RawRows:
    """Some rows as columns, in the file's order; `ragged` has those left out, with their lengths.

    `numbers` are those of the rows, 1 being the first below the header; `blanks` counts those without any
    value, which are left out too.
    """

    columns: list[Any]  # of pyarrow.Array, which has no types
    numbers: NDArray[np.int64]
    ragged: list[tuple[int, int]] = field(default_factory=list)
    blanks: int = 0


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what a file's bytes make Arrow raise into a problem of the file.

    Raises:
        ExtractError: anything of Arrow's, or of the operating system's, was raised inside.
    """
    try:
        yield
    except MemoryError:  # not the file's fault, though Arrow has one of its own
        raise
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise ExtractError([_problem(path, error)]) from error


def _problem(path: Path, error: Exception) -> Problem:
    # Not Arrow's whole sentence: it may quote the file's rows.
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or "UTF8" in text:
        return Problem(path.name, _undecodable_line(path), None, None, file_sentences.UTF_8)
    if "straddling" in text:
        expected = file_sentences.SHORT_RECORDS
    else:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        expected = file_sentences.readable(path.suffix.lower(), reason)
    return Problem(path.name, None, None, None, expected)


def _undecodable_line(path: Path) -> int | None:
    if path.suffix.lower() != ".csv":
        return None
    with path.open(encoding="utf-8", errors="surrogateescape") as text:
        for number, line in enumerate(text, 1):
            if re.search("[\udc80-\udcff]", line):
                return number
    return None
