"""A workbook of Excel's, .xlsx: one of its sheets has the employees, and is read once, into columns.

Each cell says what it is: a number, a text, a date, an error; and a number format says which numbers are
percentages. What a workbook would compute or fetch is neither computed nor fetched.
"""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences, reading_sentences
from churn.ingest.raw_rows import BATCH_ROWS, RawRows
from churn.ingest.sheet_columns import SheetColumns, value
from churn.ingest.workbook_package import MAX_COLUMNS, SheetFacts, WorkbookPackage

MAX_SHEETS: Final = 100
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"  # how encrypted workbooks and Excel's old ones begin
_SEARCHED: Final = 20  # rows that may be the header: titles may stand above it
_KNOWN: Final = 2  # names of ours that make a row a header, wherever it is


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
        self._read = 0
        with self._explained(), zipfile.ZipFile(path) as archive:
            package = WorkbookPackage(path, archive)
            with CalamineWorkbook.from_path(path) as book:
                found = self._choose(package, book, sheet)
            self.sheet, self.sheet_name, self.names = found.number, found.name, found.names
            self._check_merged(package, found)
            filled = self._fill(package, found)
        self._columns, self._rows, self._ragged = filled.joined(), filled.rows, filled.ragged
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
        for row, found in enumerate(cells.iter_rows(), 1):
            names = [""] * left + ["" if cell == "" else str(value(cell)) for cell in found]
            while names and not names[-1]:
                names.pop()
            if len(names) > MAX_COLUMNS:
                raise package.refused(file_sentences.at_most(MAX_COLUMNS, "columns"), row)
            known = sum(self._is_known(name) for name in names)
            sheet = _Sheet(number, name, part, cells, facts, row, names, known, titles=first.row > 0)
            if known >= _KNOWN:
                return sheet
            if names and not first.row:
                first = sheet
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

    def _fill(self, package: WorkbookPackage, sheet: _Sheet) -> SheetColumns:
        """Return the columns below the header."""
        fields = [self._dictionary.names.field_of(name) for name in self.names]
        percents = [place for place, field in enumerate(fields) if field and field.kind == "percent"]
        formats = package.percents(sheet.part, percents)
        left = (sheet.cells.start or (0, 0))[1]
        columns = SheetColumns(len(self.names), left, formats, sheet.facts.errors)
        columns.add(islice(enumerate(sheet.cells.iter_rows(), 1), sheet.row, None))
        return columns


def _notices(sheet: _Sheet) -> list[str]:
    """Return what to know of how a sheet is read."""
    notices: list[str] = []
    if sheet.titles:
        notices.append(reading_sentences.titles(sheet.row - 1))
    rows = sum(row > sheet.row for row in sheet.facts.hidden_rows)
    if rows or sheet.facts.hidden_columns:
        notices.append(reading_sentences.hidden(rows, len(sheet.facts.hidden_columns)))
    return notices
