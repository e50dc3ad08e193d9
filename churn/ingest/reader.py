"""A file of employees, CSV, Excel or Parquet, read some rows at a time and not yet interpreted."""

import csv
import io
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences
from churn.ingest.raw_rows import BATCH_ROWS, RawRows, explained
from churn.ingest.workbook import WorkbookReader
from churn.schemas.file_reading import FileReading

DELIMITERS = (",", ";")
BLOCK_BYTES = 1 << 23  # of CSV at a time: the longest record there may be
LONGEST_HEADER = 1 << 20  # bytes
BUFFER_BYTES = 1 << 20  # of each Parquet column at a time
TEXT = pa.dictionary(pa.int32(), pa.string())


def open_reader(path: Path, dictionary: Dictionary) -> "Reader":
    """Return the reader of a .csv, .xlsx or .parquet file.

    Raises:
        ExtractError: it is neither, is not there, cannot be read, or not twice.
    """
    if path.is_fifo() or path.is_char_device():
        raise ExtractError([Problem(path.name, None, None, None, file_sentences.A_SEEKABLE_FILE)])
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise ExtractError([Problem(path.name, None, None, None, file_sentences.A_KNOWN_FORMAT)])
    with explained(path):
        return kind(path, dictionary)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


class ParquetReader:
    """A Parquet file, whose columns have types of their own."""

    decimal_comma = False
    delimiter = sheet = None

    def __init__(self, path: Path, dictionary: Dictionary) -> None:
        self._path = path
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            self._total = file.metadata.num_rows
        self.names: list[str] = schema.names
        self.types: list[Any] = schema.types
        # Words stay the places in a dictionary that they are in the file; ids, all different, are no words.
        self._words = [
            name
            for name, kind in zip(self.names, self.types, strict=True)
            if _is_text(kind) and dictionary.names.field_of(name) is not dictionary.identifier
        ]
        self._read = 0

    def batches(self) -> Iterator[RawRows]:
        """Return the rows, some at a time."""
        self._read = 0
        with (
            explained(self._path),
            pyarrow.parquet.ParquetFile(
                self._path, read_dictionary=self._words, buffer_size=BUFFER_BYTES, pre_buffer=False
            ) as file,
        ):
            for batch in file.iter_batches(BATCH_ROWS):
                numbers = np.arange(self._read + 1, self._read + len(batch) + 1)
                self._read += len(batch)
                yield RawRows(batch.columns, numbers)

    def scan(self, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Return some of the columns, some rows at a time."""
        names = [self.names[position] for position in positions]
        with explained(self._path), pyarrow.parquet.ParquetFile(self._path) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=names):
                yield [batch.column(name) for name in names]

    def share(self) -> float:
        """Return how much of the file was read, 0 to 1."""
        return self._read / self._total if self._total else 1.0

    def lines(self) -> Sequence[int]:
        """Return a line for each row, as in a CSV file of one line a row."""
        return range(2, self._total + 2)


class CsvReader:
    """A CSV file, all text: commas, or semicolons and perhaps decimal commas.

    `delimiter` is the one that was found; `decimal_comma` tells that 11,5 may stand for 11.5.
    """

    sheet = None

    def __init__(self, path: Path, dictionary: Dictionary) -> None:
        self._path = path
        self._size, self._position = path.stat().st_size, 0
        with path.open("rb") as file:
            head = file.read(LONGEST_HEADER)
        self.names, self.delimiter = _header(head + b"\n")
        self._header_only = not any(end in head for end in b"\r\n")
        identifier, field_of = dictionary.identifier, dictionary.names.field_of
        self.types: list[Any] = [pa.string() if field_of(name) is identifier else TEXT for name in self.names]
        self.decimal_comma = self.delimiter == ";"
        if len(self.names) < 2:
            expected = file_sentences.SEPARATED_NAMES if self.names else file_sentences.A_HEADER
            raise ExtractError([Problem(path.name, 1, None, None, expected)])

    def batches(self) -> Iterator[RawRows]:
        """Return the rows, some at a time, and which ones have too many or too few values.

        Raises:
            ExtractError: the file cannot be read on.
        """
        if self._header_only:
            return  # Arrow refuses a header that no newline ends
        ragged: list[tuple[int, int]] = []

        def leave_out(row: Any) -> str:
            ragged.append((row.number - 1, row.actual_columns))  # the header is Arrow's first row
            return "skip"

        read = 0
        with explained(self._path), self._path.open("rb") as file:
            for batch in self._stream(file, leave_out):
                numbers = _numbers(read + 1, len(batch), ragged)
                read = int(numbers[-1]) if len(numbers) else read
                # Arrow reads ahead: some of the ragged rows may come after this batch.
                passed = [row for row in ragged if row[0] < read]
                del ragged[: len(passed)]
                self._position = file.tell()
                yield RawRows(batch.columns, numbers, passed)
        if ragged:
            yield RawRows([pa.array([], kind) for kind in self.types], np.zeros(0, dtype=np.int64), ragged)

    def scan(self, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Return some of the columns, some rows at a time, ragged ones apart."""
        if not self._header_only:
            with explained(self._path), self._path.open("rb") as file:
                for batch in self._stream(file, lambda _: "skip", positions):
                    yield batch.columns

    def share(self) -> float:
        """Return how much of the file was read, 0 to 1."""
        return self._position / self._size

    def lines(self) -> Sequence[int]:
        """Return the line on which each row starts.

        Arrow does not say where its rows are. The standard library splits a file exactly as Arrow does, and
        counts lines; it is slower, but only a file with a problem is read this second time.
        """
        lines = array("q")
        with (
            explained(self._path),
            self._path.open(encoding="utf-8-sig", newline="") as text,
            _values_of_any_length(),
        ):
            reader = csv.reader(text, delimiter=self.delimiter)
            next(reader)
            line = reader.line_num + 1
            for record in reader:
                if record:
                    lines.append(line)
                line = reader.line_num + 1
        return lines

    def _stream(
        self, file: Any, leave_out: Callable[[Any], str], positions: Sequence[int] | None = None
    ) -> Any:
        """Return Arrow's batches of the rows below the header; `leave_out` is told of ragged ones."""
        names = [str(position) for position in range(len(self.names))]  # the file's own names may repeat
        return pyarrow.csv.open_csv(
            # Decoded before it is parsed: where a ragged row is no UTF-8, Arrow would print a traceback.
            pa.transcoding_input_stream(pa.PythonFile(file), "utf-8-sig", "utf-8"),
            # Only a single thread can tell the number of a ragged row.
            pyarrow.csv.ReadOptions(
                column_names=names, skip_rows_after_names=1, block_size=BLOCK_BYTES, use_threads=False
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=leave_out
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict(zip(names, self.types, strict=True)),
                include_columns=[names[position] for position in positions or range(len(names))],
            ),
        )


Reader = CsvReader | ParquetReader | WorkbookReader
KINDS: Mapping[str, type[Reader]] = {".csv": CsvReader, ".xlsx": WorkbookReader, ".parquet": ParquetReader}


def reading(path: Path, reader: Reader, positions: Mapping[str, int]) -> FileReading:
    """Return how a file is read, whose columns at these positions stand for fields."""
    columns = [(reader.names[position], name) for name, position in positions.items()]
    return FileReading(
        path.name,
        path.suffix.lower().lstrip("."),
        reader.delimiter,
        reader.decimal_comma,
        columns,
        reader.sheet,
    )


def _numbers(first: int, count: int, ragged: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the next numbers, without those of the rows that were left out."""
    candidates = np.arange(first, first + count + len(ragged))
    return np.setdiff1d(candidates, [number for number, _ in ragged])[:count] if ragged else candidates


def _header(data: bytes) -> tuple[list[str], str]:
    """Return the first record and its delimiter: the one that splits it the most."""
    firsts = []
    for delimiter in DELIMITERS:
        text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
        firsts.append((next(csv.reader(text, delimiter=delimiter)), delimiter))
    return max(firsts, key=lambda first: len(first[0]))


@contextmanager
def _values_of_any_length() -> Iterator[None]:
    """Lift the csv module's limit: a quote left open makes one value of the rest of the file."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
