"""A CSV file of employees, all text, read some rows at a time."""

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences, reading_sentences
from churn.ingest.csv_dialect import DELIMITERS, dialect_of
from churn.ingest.raw_rows import RawRows, explained

BLOCK_BYTES = 1 << 23  # at a time: the longest record there may be
TEXT = pa.dictionary(pa.int32(), pa.string())


class CsvReader:
    """A CSV file, in the encoding and with the delimiter that were found.

    `decimal_comma` tells that 11,5 may stand for 11.5; `rows` and `blanks` are known once it was scanned.
    """

    format = "csv"
    sheet = sheet_name = None
    rows: int | None = None
    blanks = 0

    def __init__(self, path: Path, dictionary: Dictionary, **_: object) -> None:
        self._path = path
        self._size, self._position = path.stat().st_size, 0
        self._dialect = dialect = dialect_of(path, dictionary)
        self.names, self.delimiter, self.encoding = dialect.names, dialect.delimiter, dialect.encoding
        identifier, field_of = dictionary.identifier, dictionary.names.field_of
        self.types: list[Any] = [pa.string() if field_of(name) is identifier else TEXT for name in self.names]
        self.decimal_comma = self.delimiter != ","
        if len(self.names) < 2:
            raise ExtractError([Problem(path.name, 1, None, None, _expected(self.names))])
        self.notices: list[str] = []
        if dialect.titles:
            self.notices.append(reading_sentences.titles(dialect.lines))
        if dialect.accents_are_broken:
            self.notices.append(reading_sentences.BROKEN_ACCENTS)

    def batches(self) -> Iterator[RawRows]:
        """Return the rows, some at a time, and which ones have too many or too few values.

        Raises:
            ExtractError: the file cannot be read on.
        """
        if not self._dialect.has_rows:
            return  # Arrow refuses a header that no newline ends
        ragged: list[tuple[int, int]] = []

        def leave_out(row: Any) -> str:
            # Arrow counts the lines that it skips, and the header.
            ragged.append((row.number - 1 - self._dialect.lines, row.actual_columns))
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
                yield _without_blanks(batch.columns, numbers, passed)
        if ragged:
            yield RawRows([pa.array([], kind) for kind in self.types], np.zeros(0, dtype=np.int64), ragged)

    def scan(self, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Return some of the columns, some rows at a time, ragged ones apart; and count the rows."""
        ragged: list[Any] = []

        def leave_out(row: Any) -> str:
            ragged.append(row.number)
            return "skip"

        read = blank = 0
        if self._dialect.has_rows:
            with explained(self._path), self._path.open("rb") as file:
                for batch in self._stream(file, leave_out, [*positions, 0]):
                    read += len(batch)
                    blank += len(_blank(batch.columns, len(batch)))
                    yield batch.columns[:-1]
        # Those that have nothing in these columns may have something in others.
        self.blanks = sum(raw.blanks for raw in self.batches()) if blank else 0
        self.rows = read + len(ragged) - self.blanks

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
            self._path.open(encoding=self.encoding, newline="") as text,
            _values_of_any_length(),
        ):
            reader = csv.reader(text, delimiter=self.delimiter)
            for _ in range(self._dialect.records + 1):
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
            pa.transcoding_input_stream(pa.PythonFile(file), self.encoding, "utf-8"),
            # Only a single thread can tell the number of a ragged row.
            pyarrow.csv.ReadOptions(
                column_names=names,
                skip_rows=self._dialect.lines,
                skip_rows_after_names=1,
                block_size=BLOCK_BYTES,
                use_threads=False,
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=leave_out
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict(zip(names, self.types, strict=True)),
                include_columns=names if positions is None else [names[place] for place in positions],
            ),
        )


def _expected(names: Sequence[str]) -> str:
    if not names:
        return file_sentences.A_HEADER
    if any(delimiter in names[0] for delimiter in DELIMITERS):
        return file_sentences.NO_QUOTED_LINES
    return file_sentences.SEPARATED_NAMES


def _numbers(first: int, count: int, ragged: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the next numbers, without those of the rows that were left out."""
    candidates = np.arange(first, first + count + len(ragged))
    return np.setdiff1d(candidates, [number for number, _ in ragged])[:count] if ragged else candidates


def _without_blanks(columns: list[Any], numbers: NDArray[np.int64], ragged: list[tuple[int, int]]) -> RawRows:
    """Return rows without those that have nothing but delimiters."""
    blank = _blank(columns, len(numbers))
    if not len(blank):
        return RawRows(columns, numbers, ragged)
    kept = np.ones(len(numbers), dtype=bool)
    kept[blank] = False
    return RawRows(
        [column.filter(pa.array(kept)) for column in columns], numbers[kept], ragged, blanks=len(blank)
    )


def _blank(columns: Sequence[Any], count: int) -> NDArray[np.intp]:
    """Return the places of the rows that have nothing in these columns."""
    blank = np.arange(count)
    for column in columns:
        if not len(blank):
            break
        has_words = pa.types.is_dictionary(column.type)
        texts = column.dictionary if has_words else column
        empty = np.asarray(pc.equal(pc.utf8_trim_whitespace(texts), ""))
        blank = blank[empty[column.indices.to_numpy()[blank] if has_words else blank]]
    return blank


@contextmanager
def _values_of_any_length() -> Iterator[None]:
    """Lift the csv module's limit: a quote left open makes one value of the rest of the file."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
