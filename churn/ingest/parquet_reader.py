"""A Parquet file of employees, read some rows at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from churn.dictionary.dictionary import Dictionary
from churn.ingest.raw_rows import BATCH_ROWS, RawRows, explained

BUFFER_BYTES = 1 << 20  # of each column at a time


class ParquetReader:
    """A Parquet file, whose columns have types of their own."""

    format = "parquet"
    decimal_comma = False
    delimiter = encoding = sheet = sheet_name = None
    notices: Sequence[str] = ()
    blanks = 0

    def __init__(self, path: Path, dictionary: Dictionary, **_: object) -> None:
        self._path = path
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            self.rows = self._total = file.metadata.num_rows
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


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
