"""A sheet that was read whole: its columns in memory, handed on some rows at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from churn.ingest.raw_rows import BATCH_ROWS, RawRows
from churn.ingest.sheet_columns import SheetColumns


class HeldSheet:
    """The rows below a sheet's header.

    `sheet` is the sheet's number, from 1.
    """

    decimal_comma = True  # of numbers that are texts
    delimiter = encoding = None
    blanks = 0
    sheet: int
    sheet_name: str
    names: list[str]
    notices: list[str]

    def hold(self, filled: SheetColumns) -> None:
        """Take the columns."""
        self._read = 0
        self._columns, self._rows, self._ragged = filled.joined(), filled.rows, filled.ragged
        self.types: list[Any] = [column.type for column in self._columns]

    def batches(self) -> Iterator[RawRows]:
        """Return the rows, some at a time, and which ones have too many values."""
        left_out = {number for number, _ in self._ragged}
        numbers = np.array([n for n in range(1, len(self._rows) + 1) if n not in left_out], dtype=np.int64)
        for start in range(0, len(numbers) or 1, BATCH_ROWS):
            part = numbers[start : start + BATCH_ROWS]
            columns = [column.slice(start, BATCH_ROWS) for column in self._columns]
            self._read = start + len(part)
            yield RawRows(columns, part, self._ragged if not start else [])

    def scan(self, positions: Sequence[int]) -> Iterator[list[Any]]:
        """Return some of the columns, ragged rows apart."""
        yield [self._columns[position] for position in positions]

    def share(self) -> float:
        """Return how much of the sheet was handed on, 0 to 1."""
        return self._read / max(len(self._rows) - len(self._ragged), 1)

    def lines(self) -> Sequence[int]:
        """Return the row of the sheet for each row below the header."""
        return self._rows

    @property
    def rows(self) -> int:
        """Rows below the header, without empty ones."""
        return len(self._rows)
