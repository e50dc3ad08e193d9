"""The cells of a workbook's sheet as columns: of numbers, or of texts where there is anything else.

Rows are taken a few at a time: as Python's objects they are many times as large as in a column.
"""

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, time
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

_AT_ONCE: Final = 1 << 11  # rows


class SheetColumns:
    """Columns that rows are added to, as wide as the header.

    `rows` has the sheet's number of each row that is not empty; `ragged` the place among these, from 1, and
    the length of those that have more values than the header, which are left out. `percents` are the rows of
    columns whose number format is a percentage; `errors` the texts of failed formulas by row and column.
    """

    def __init__(
        self,
        width: int,
        left: int,
        percents: Mapping[int, Collection[int]],
        errors: Mapping[int, Mapping[int, str]],
    ) -> None:
        self.rows = array("q")
        self.ragged: list[tuple[int, int]] = []
        self._width, self._left = width, left
        self._percents, self._errors = percents, errors
        self._parts: list[list[Any]] = [[] for _ in range(width)]

    def add(self, rows: Iterable[tuple[int, list[Any]]]) -> None:
        """Add rows, each with its number in the sheet; `left` columns before them are empty."""
        numbers: list[int] = []
        held: list[Sequence[Any]] = []
        for number, found in rows:
            if (row := self._row(number, found)) is not None:
                numbers.append(number)
                held.append(row)
                if len(held) == _AT_ONCE:
                    self._pack(numbers, held)
                    numbers, held = [], []
        self._pack(numbers, held)

    def joined(self) -> list[Any]:
        """Return the columns, as Arrow's."""
        return [_joined(parts) for parts in self._parts]

    def _row(self, number: int, row: list[Any]) -> list[Any] | None:
        """Return a row as wide as the header; None where it is empty or has more values."""
        if self._left:
            row = [""] * self._left + row
        for place, shown in self._errors.get(number, {}).items():
            row[place] = shown
        if row.count("") == len(row):
            return None  # as an empty line of a CSV file
        self.rows.append(number)
        if len(row) == self._width:
            return row
        if any(value != "" for value in row[self._width :]):
            length = max(place for place, value in enumerate(row, 1) if value != "")
            self.ragged.append((len(self.rows), length))
            return None
        return (row + [""] * (self._width - len(row)))[: self._width]

    def _pack(self, numbers: Sequence[int], rows: Sequence[Sequence[Any]]) -> None:
        columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * self._width
        for place, (column, parts) in enumerate(zip(columns, self._parts, strict=True)):
            if percents := self._percents.get(place):
                parts.append(_packed(_signed(column, numbers, percents)))
            else:
                parts.append(_packed(column))


def value(cell: Any) -> float | str:
    """Return what is in a cell: a number, or a text of anything else."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float):
        return float(cell)
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _signed(column: Sequence[Any], rows: Sequence[int], percents: Collection[int]) -> list[Any]:
    """Return a column with a sign where the number format has one."""
    return [
        _percentage(cell) if row in percents and isinstance(cell, int | float) else cell
        for row, cell in zip(rows, column, strict=True)
    ]


@lru_cache(maxsize=1 << 10)  # few values are different
def _percentage(fraction: float) -> str:
    return f"{_text(round(fraction * 100, 9))} %"


def _packed(column: Sequence[Any]) -> Any:
    """Return cells as Arrow's: of numbers where they are nothing else, of texts otherwise."""
    kinds = set(map(type, column))
    if kinds <= {str}:
        is_empty = column.count("") == len(column)
        return pa.nulls(len(column)) if is_empty else pa.array(column, pa.string())
    if bool not in kinds:
        with suppress(pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
            numbers = column if str not in kinds else [None if cell == "" else cell for cell in column]
            return pa.array(numbers, pa.float64())
    return pa.array(["" if cell == "" else _text(value(cell)) for cell in column], pa.string())


def _joined(parts: list[Any]) -> Any:
    """Return the parts of a column as one; those of empty cells only are of either kind."""
    kinds = {part.type for part in parts} - {pa.null()}
    if kinds == {pa.float64()}:
        return pa.concat_arrays([part.cast(pa.float64()) for part in parts])
    return pa.concat_arrays([_texts(part) for part in parts])


def _texts(part: Any) -> Any:
    if pa.types.is_string(part.type):
        return part
    return pa.array(["" if number is None else _text(number) for number in part.to_pylist()], pa.string())


def _text(cell: float | str) -> str:
    """Return a number as somebody would write it, with a decimal point."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return cell
