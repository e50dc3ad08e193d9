"""Employees of whom it is known who left, in memory: to compare models on."""

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.ingest import extracts
from churn.ingest.data_frames import data_frame
from churn.ingest.flat import FlatTable
from churn.ingest.mark import Mark
from churn.ingest.reader import KINDS, understood
from churn.ingest.rows import Reject, Rows, refusal


def read_labelled(
    path: Path,
    dictionary: Dictionary,
    *,
    ignore: Collection[str] = (),
    thousands: Mark | None = None,
    tell: Callable[[str], object] = str,
) -> pd.DataFrame:
    """Return employees with the target, as `extracts.read` does, from its folder or from a flat file.

    A flat file keeps its order, and its fields without a column are unknown; the identifier is int64
    where all of them are whole numbers, text otherwise, and the row's number where there are none.
    `ignore` are columns of a flat file to pass over; `thousands` and `tell` as there.

    Raises:
        ExtractError: the file cannot be read, has no target column, or holds a bad row.
    """
    if not is_flat(path):
        return extracts.read(path, dictionary, thousands=thousands, tell=tell)
    parts: list[Rows] = []
    rejects: list[Reject] = []
    table = FlatTable(path, dictionary, labelled=True, ignore=ignore, thousands=thousands)
    for notice in (*map(understood, table.readings()), *table.notices):
        tell(notice)
    for rows in table.batches():
        parts.append(rows)
        rejects += rows.rejects
    if rejects:
        raise refusal(rejects, FlatTable.place)
    columns = {field.name: _column(field, parts) for field in dictionary.fields}
    return data_frame(columns, dictionary)


def is_flat(path: Path) -> bool:
    """Return whether a path is that of one file, and not of a folder of extracts."""
    return path.is_file() or path.suffix.lower() in KINDS


def fingerprint(path: Path, dictionary: Dictionary, thousands: Mark | None = None) -> str:
    """Return "sha256:…" over the content of a flat file, or of a folder as `extracts.fingerprint` does.

    Raises:
        ExtractError: an extract is missing.
    """
    if not is_flat(path):
        return extracts.fingerprint(path, dictionary, thousands)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update((thousands or "").encode())
    return f"sha256:{digest.hexdigest()}"


def _column(field: Field, parts: list[Rows]) -> Any:
    if field.kind == "identifier":
        return _ids(parts)
    known = all(field.name in part.cells for part in parts)
    return np.concatenate([part.cells[field.name] if known else _unknown(field, part) for part in parts])


def _unknown(field: Field, part: Rows) -> NDArray[Any]:
    count = len(part.numbers)
    return np.full(count, np.nan) if field.numeric else np.full(count, -1, dtype=np.int8)


def _ids(parts: list[Rows]) -> Any:
    if any(part.employees is None for part in parts):
        return np.concatenate([part.numbers for part in parts])
    ids = [id_ for part in parts for id_ in part.employees.to_pylist()]
    whole = all(isinstance(id_, int) or (id_ is not None and id_.isdecimal()) for id_ in ids)
    return np.array(ids, dtype=np.int64) if whole else pd.array(ids, dtype="str")
