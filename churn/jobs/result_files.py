"""The files that a job leaves, beside those of its run: for spreadsheets, and for pages of rows.

The pages' file is SQLite's, by the standard library's own module: workers read it without loading anything
more, and it takes no server, no session and no model of objects to ask one table for fifty rows.
"""

import csv
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet
import xlsxwriter

from churn.core.spreadsheet_text import harmless
from churn.jobs.result_csv import DATABASE

SCORES: Final = "scores.parquet"
REJECTS: Final = "rejects.csv"
BATCH_ROWS: Final = 10_000
REJECTS_COLUMNS: Final = ("file", "place", "employee_id", "column", "value", "expected")
_ASKED: Final = ("probability", "row", "employee_id")  # by what pages are sorted, filtered and searched
_LONGEST_CELL: Final = 32_767  # characters, in a spreadsheet

Batch = Sequence[Sequence[Any]]  # some rows


def write(folder: Path, advance: Callable[[float], object]) -> None:
    """Write what is made of a run's scores and rejects in a folder; `advance` is told how much is done."""
    scores = folder / SCORES
    with pa.parquet.ParquetFile(scores) as file:
        names, total = file.schema_arrow.names, file.metadata.num_rows

    def told(batches: Iterator[Batch], begin: float, end: float) -> Iterator[Batch]:
        done = 0
        for batch in batches:
            yield batch
            done += len(batch)
            advance(begin + (end - begin) * done / total)

    path = folder / DATABASE
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        _fill(connection, "scores", names, told(_scores(scores), 0.0, 0.2))
        _index(connection, [column for column in _ASKED if column in names])
        _fill(connection, "rejects", REJECTS_COLUMNS, _rejects(folder / REJECTS))
        connection.execute("COMMIT")
    _write_workbook(folder / "scores.xlsx", names, told(_scores(scores), 0.2, 1.0))
    _write_workbook(folder / "rejects.xlsx", REJECTS_COLUMNS, _rejects(folder / REJECTS))
    _write_rejects(folder / "rejects.parquet", _rejects(folder / REJECTS))


def _scores(path: Path) -> Iterator[Batch]:
    with pa.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _rejects(path: Path) -> Iterator[Batch]:
    """Yield the rejects of a run, of which there need not be any."""
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            next(reader)
            while batch := [(name, int(place), *rest) for name, place, *rest in islice(reader, BATCH_ROWS)]:
                yield batch


def _fill(connection: sqlite3.Connection, table: str, names: Sequence[str], batches: Iterator[Batch]) -> None:
    # Without types: a cell stays what it is.
    columns = ", ".join(f'"{name}"' for name in names)
    connection.execute(f"CREATE TABLE {table} ({columns})")
    marks = ", ".join("?" * len(names))
    for batch in batches:
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)  # noqa: S608


def _index(connection: sqlite3.Connection, asked: Sequence[str]) -> None:
    """Make an index for each order, with all that is asked: a page is found in it alone."""
    for column in asked:
        columns = ", ".join(f'"{one}"' for one in dict.fromkeys((column, "row", *asked)))
        connection.execute(f"CREATE INDEX by_{column} ON scores ({columns})")


def _write_workbook(path: Path, names: Sequence[str], batches: Iterator[Batch]) -> None:
    # Rows are written as they come: none is held in memory.
    with xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(path.parent)}) as workbook:
        sheet = workbook.add_worksheet(path.stem)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, names)
        number = 0
        for batch in batches:
            for row in batch:
                number += 1
                for place, cell in enumerate(row):
                    _write_cell(sheet, number, place, cell)


def _write_cell(sheet: Any, row: int, column: int, cell: Any) -> None:
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif cell:
        sheet.write_string(row, column, harmless(cell)[:_LONGEST_CELL])


def _write_rejects(path: Path, batches: Iterator[Batch]) -> None:
    kinds = [pa.int64() if name == "place" else pa.string() for name in REJECTS_COLUMNS]
    schema = pa.schema(list(zip(REJECTS_COLUMNS, kinds, strict=True)))
    with pa.parquet.ParquetWriter(path, schema) as writer:
        for batch in batches:
            columns = list(zip(*batch, strict=True))
            arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
