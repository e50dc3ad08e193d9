"""A workbook of Excel's, .xlsx: one of its sheets has the employees, and is read once, into columns.

Each cell says what it is: a number, a text, a date, an error; and a number format says which numbers are
percentages. What a workbook would compute or fetch is neither computed nor fetched.
"""

import zipfile
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences, reading_sentences
from churn.ingest.raw_rows import BATCH_ROWS, RawRows
from churn.ingest.workbook_package import MAX_COLUMNS, SheetFacts, WorkbookPackage

MAX_SHEETS: Final = 100
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"  # how encrypted workbooks and Excel's old ones begin
_SEARCHED: Final = 20  # rows that may be the header: titles may stand above it
_KNOWN: Final = 2  # names of ours that make a row a header, wherever it is

Cell = float | str | None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet that may have the employees: its number and the row of its header, both from 1.

    `known` counts the header's names that are ours; `titles` tells that something stands above it.
    """

    number: int
    name: str
    part: str
    cells: CalamineSheet
    facts: SheetFacts
    row: int
    names: list[str]
    known: int
    titles: bool = False


class WorkbookReader:
    """The sheet with employees of an .xlsx file.

    It is the visible one with a column that stands for a field, or the one asked for by its name; `sheet` is
    its number, from 1.
    """

    decimal_comma = True  # of numbers that are texts
    delimiter = encoding = None
    format = "xlsx"
    blanks = 0

    def __init__(self, path: Path, dictionary: Dictionary, *, sheet: str | None = None) -> None:
        self._path, self._dictionary = path, dictionary
        self._rows = array("q")  # of the sheet, for each row below the header
        self._ragged: list[tuple[int, int]] = []
        self._read = 0
        with self._explained(), zipfile.ZipFile(path) as archive:
            package = WorkbookPackage(path, archive)
            with CalamineWorkbook.from_path(path) as book:
                found = self._choose(package, book, sheet)
            self.sheet, self.sheet_name, self.names = found.number, found.name, found.names
            self._check_merged(package, found)
            self._columns = self._fill(package, found)
        self.types: list[Any] = [column.type for column in self._columns]
        self.notices = _notices(found)

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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever a damaged workbook makes the libraries raise into a problem of the file."""
        try:
            yield
        except (ExtractError, MemoryError):
            raise
        except PasswordError as error:
            raise self._refused(file_sentences.NO_PASSWORD) from error
        except BaseException as error:
            # A panic of the cells' reader is no Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            with self._path.open("rb") as file:
                is_compound = file.read(len(_COMPOUND)) == _COMPOUND
            if is_compound:
                raise self._refused(file_sentences.NO_PASSWORD) from error
            raise self._refused(file_sentences.readable(".xlsx", type(error).__name__)) from error

    def _refused(self, expected: str) -> ExtractError:
        return ExtractError([Problem(self._path.name, None, None, None, expected)])

    def _choose(self, package: WorkbookPackage, book: CalamineWorkbook, asked: str | None) -> _Sheet:
        """Return the sheet with employees; one that is `asked` for by its name may be hidden."""
        parts = dict(package.parts())
        if len(parts) > MAX_SHEETS:
            raise self._refused(file_sentences.at_most(MAX_SHEETS, "sheets"))
        visible = [
            (number, one.name)
            for number, one in enumerate(book.sheets_metadata, 1)
            if (one.visible == SheetVisibleEnum.Visible if asked is None else one.name == asked)
        ]
        if asked is not None and not visible:
            raise self._refused(file_sentences.a_sheet_of([one.name for one in book.sheets_metadata]))
        sheets = [self._open(package, book, number, name, parts[name]) for number, name in visible]
        filled = [one for one in sheets if one.row]
        known = [one for one in filled if one.known] or filled[:1]
        if not known:
            raise self._refused(file_sentences.A_FILLED_SHEET)
        if len(known) > 1:
            raise self._refused(file_sentences.one_sheet(len(known)))
        return known[0]

    def _open(
        self, package: WorkbookPackage, book: CalamineWorkbook, number: int, name: str, part: str
    ) -> _Sheet:
        """Return a sheet with its header: the first row with names of ours, or else the first filled one."""
        facts = package.facts(part)
        cells = book.get_sheet_by_name(name)
        first = _Sheet(number, name, part, cells, facts, 0, [], 0)
        left = (cells.start or (0, 0))[1]
        for row, values in enumerate(cells.iter_rows(), 1):
            names = [""] * left + ["" if value == "" else str(_value(value)) for value in values]
            while names and not names[-1]:
                names.pop()
            if len(names) > MAX_COLUMNS:
                raise package.refused(file_sentences.at_most(MAX_COLUMNS, "columns"), row)
            known = sum(self._is_known(name) for name in names)
            found = _Sheet(number, name, part, cells, facts, row, names, known, titles=first.row > 0)
            if known >= _KNOWN:
                return found
            if names and not first.row:
                first = found
            if row >= _SEARCHED and first.row:
                break
        return first

    def _is_known(self, name: str) -> bool:
        names = self._dictionary.names
        return bool(name) and (names.field_of(name) is not None or names.is_passed_over(name))

    def _check_merged(self, package: WorkbookPackage, sheet: _Sheet) -> None:
        """Refuse merged cells below the header: all but one of them would read as empty."""
        if any(end[0] + 1 > sheet.row for _, end in sheet.cells.merged_cell_ranges or ()):
            raise package.refused(file_sentences.NO_MERGED_CELLS)

    def _fill(self, package: WorkbookPackage, sheet: _Sheet) -> list[Any]:
        """Return the columns below the header: of numbers, or of texts where there is anything else."""
        field_of, width = self._dictionary.names.field_of, len(self.names)
        fields = [field_of(name) for name in self.names]
        percents = [place for place, field in enumerate(fields) if field and field.kind == "percent"]
        formats = package.percents(sheet.part, percents)
        parts: list[list[Any]] = [[] for _ in range(width)]
        for numbers, rows in self._batches(sheet, width):
            columns: Sequence[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * width
            for place, column in enumerate(columns):
                are_percents = formats.get(place, ())
                parts[place].append(
                    _packed(_signed(column, numbers, are_percents) if are_percents else column)
                )
        return [_joined(column) for column in parts]

    def _batches(self, sheet: _Sheet, width: int) -> Iterator[tuple[list[int], list[list[Any]]]]:
        """Yield the rows below the header, as wide as it, with their numbers in the sheet."""
        left, errors = (sheet.cells.start or (0, 0))[1], sheet.facts.errors
        numbers: list[int] = []
        rows: list[list[Any]] = []
        for number, found in enumerate(sheet.cells.iter_rows(), 1):
            if number <= sheet.row:
                continue
            row = [""] * left + found
            if number in errors:
                for place, shown in errors[number].items():
                    row[place] = shown
            if row.count("") == len(row):
                continue  # as an empty line of a CSV file
            self._rows.append(number)
            if len(row) > width and any(value != "" for value in row[width:]):
                length = max(place for place, value in enumerate(row, 1) if value != "")
                self._ragged.append((len(self._rows), length))
                continue
            numbers.append(number)
            rows.append((row + [""] * (width - len(row)))[:width])
            if len(rows) >= BATCH_ROWS:
                yield numbers, rows
                numbers, rows = [], []
        yield numbers, rows


def _notices(sheet: _Sheet) -> list[str]:
    """Return what to know of how a sheet is read."""
    notices: list[str] = []
    if sheet.titles:
        notices.append(reading_sentences.titles(sheet.row - 1))
    rows = sum(row > sheet.row for row in sheet.facts.hidden_rows)
    if rows or sheet.facts.hidden_columns:
        notices.append(reading_sentences.hidden(rows, len(sheet.facts.hidden_columns)))
    return notices


def _signed(column: Sequence[Any], rows: Sequence[int], percents: Collection[int]) -> list[Any]:
    """Return a column with a sign where the number format has one."""
    return [
        f"{_text(round(value * 100, 9))} %" if row in percents and isinstance(value, int | float) else value
        for row, value in zip(rows, column, strict=True)
    ]


def _packed(column: Sequence[Any]) -> Any:
    """Return cells as Arrow's: of numbers where they are nothing else, of texts otherwise."""
    kinds = set(map(type, column))
    if kinds <= {str}:
        texts = pa.array(column, pa.string())
        return pc.if_else(pc.equal(texts, ""), None, texts)
    if bool not in kinds:
        with suppress(pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
            return pa.array([None if value == "" else value for value in column], pa.float64())
    return pa.array([None if value == "" else _text(_value(value)) for value in column], pa.string())


def _joined(parts: list[Any]) -> Any:
    if any(pa.types.is_string(part.type) for part in parts):
        parts = [_texts(part) for part in parts]
    return pa.concat_arrays(parts)


def _texts(part: Any) -> Any:
    if pa.types.is_string(part.type):
        return part
    return pa.array([None if value is None else _text(value) for value in part.to_pylist()], pa.string())


def _value(value: Any) -> float | str:
    """Return what is in a cell: a number, or a text of anything else."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return float(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _text(value: float | str) -> str:
    """Return a number as somebody would write it, with a decimal point."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value
