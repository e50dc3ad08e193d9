"""The file of one extract, CSV or Parquet, as columns that nothing has interpreted yet."""

import csv
import io
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from churn.core.errors import Problem
from churn.ingest.findings import Findings

DELIMITERS = (",", ";")
BLOCK_BYTES = 1 << 24  # of CSV given to each thread at once


@dataclass(frozen=True)
class RawFile:
    """A file's column names and columns, in its own order.

    `find_lines` returns the line on which each row starts, 1 being the header; `whole` is false
    where ragged rows were left out; `decimal_comma` tells that 11,5 may stand for 11.5.
    """

    names: list[str]
    columns: list[Any]  # of pyarrow.ChunkedArray, which has no types
    find_lines: Callable[[], Sequence[int]]
    whole: bool = True
    decimal_comma: bool = False


def is_number(kind: Any) -> bool:
    """Return whether a column of this Arrow type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def read(path: Path, findings: Findings) -> RawFile | None:
    """Read a .csv or .parquet file; return None, and say why in `findings`, if it cannot be."""
    try:
        raw = _read_csv(path, findings) if path.suffix.lower() == ".csv" else _read_parquet(path)
    except UnicodeDecodeError as error:
        line = len((error.object[: error.start] + b" ").splitlines())
        findings.add(Problem(path.name, line, None, None, "UTF-8 text (in Excel: “CSV UTF-8”)"))
        return None
    except (OSError, csv.Error, pa.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        findings.add(
            Problem(path.name, None, None, None, f"a readable {path.suffix.lower()} file ({reason})")
        )
        return None
    if raw is not None and raw.whole and not any(map(len, raw.columns)):
        findings.add(Problem(path.name, None, None, None, "at least one employee below the header"))
        return None
    return raw


def _read_parquet(path: Path) -> RawFile:
    with pyarrow.parquet.ParquetFile(path) as file:
        table = file.read()
    return RawFile(table.column_names, table.columns, lambda: range(2, table.num_rows + 2))


def _read_csv(path: Path, findings: Findings) -> RawFile | None:
    data = path.read_bytes() + b"\n"  # Arrow refuses a header that no newline ends
    data.decode()  # Arrow would say that the bytes are not UTF-8, but not where
    names, delimiter = header(data)
    if len(names) < 2:
        expected = "column names, separated by commas or semicolons" if names else "a header"
        findings.add(Problem(path.name, 1, None, None, expected))
        return None
    table, ragged = _parse(data, len(names), delimiter)
    if ragged:
        _report_ragged(path, len(names), delimiter, findings)
    return RawFile(
        names,
        table.columns,
        lambda: _locate(path, len(names), delimiter)[0],
        whole=not ragged,
        decimal_comma=delimiter == ";",
    )


def header(data: bytes) -> tuple[list[str], str]:
    """Return the first record and its delimiter: the one that splits it the most."""
    firsts = []
    for delimiter in DELIMITERS:
        text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
        firsts.append((next(csv.reader(text, delimiter=delimiter)), delimiter))
    return max(firsts, key=lambda first: len(first[0]))


def _parse(data: bytes, width: int, delimiter: str) -> tuple[Any, bool]:
    """Return the rows below the header as a table of text, and whether ragged ones were left out."""
    ragged = []

    def leave_out(row: Any) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    names = [str(position) for position in range(width)]  # the file's own names may repeat
    table = pyarrow.csv.read_csv(
        pa.py_buffer(data),
        pyarrow.csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=BLOCK_BYTES),
        pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=leave_out),
        pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    return table, bool(ragged)


def _report_ragged(path: Path, width: int, delimiter: str, findings: Findings) -> None:
    _, ragged = _locate(path, width, delimiter)
    problems = (
        Problem(path.name, line, None, None, f"{width} values, as in the header, not {found}")
        for line, found in ragged
    )
    findings.add_many(problems, count=len(ragged))


def _locate(path: Path, width: int, delimiter: str) -> tuple[Sequence[int], list[tuple[int, int]]]:
    """Return the first line of each whole row, and of each ragged one with its number of values.

    Arrow does not say where its rows are, for it reads blocks of the file side by side. The
    standard library splits a file exactly as Arrow does, and counts lines; it is slower, but only
    a file with a problem is read this second time.
    """
    lines, ragged = array("q"), []
    with path.open(encoding="utf-8-sig", newline="") as text, _values_of_any_length():
        reader = csv.reader(text, delimiter=delimiter)
        next(reader)
        line = reader.line_num + 1
        for record in reader:
            if len(record) == width:
                lines.append(line)
            elif record:
                ragged.append((line, len(record)))
            line = reader.line_num + 1
    return lines, ragged


@contextmanager
def _values_of_any_length() -> Iterator[None]:
    """Lift the csv module's limit: a quote left open makes one value of the rest of the file."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
