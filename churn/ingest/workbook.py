"""A workbook of Excel's, .xlsx: one of its sheets has the employees, and is read once, into columns.

Each cell says what it is: a number, a text, a date, an error; and a number format says which numbers are
percentages. What a workbook would compute or fetch is neither computed nor fetched.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences
from churn.ingest import sheet_header
from churn.ingest.held_sheet import HeldSheet
from churn.ingest.sheet_columns import SheetColumns
from churn.ingest.sheet_header import MAX_SHEETS, SheetHeader
from churn.ingest.workbook_package import SheetFacts, WorkbookPackage

_COMPOUND: Final = b"\xd0\xcf\x11\xe0"  # how encrypted workbooks and Excel's old ones begin


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet that may have the employees: its number, from 1."""

    number: int
    name: str
    part: str
    cells: CalamineSheet
    facts: SheetFacts
    header: SheetHeader

    @property
    def left(self) -> int:
        """How many empty columns the cells' reader leaves out before the first."""
        return (self.cells.start or (0, 0))[1]


class WorkbookReader(HeldSheet):
    """The sheet with employees of an .xlsx file.

    It is the visible one with a column that stands for a field, or the one asked for by its name.
    """

    format = "xlsx"

    def __init__(self, path: Path, dictionary: Dictionary, *, sheet: str | None = None) -> None:
        self._path, self._dictionary = path, dictionary
        with self._explained(), zipfile.ZipFile(path) as archive:
            package = WorkbookPackage(path, archive)
            with CalamineWorkbook.from_path(path) as book:
                found = self._choose(package, book, sheet)
            self.sheet, self.sheet_name, self.names = found.number, found.name, found.header.names
            self._check_merged(package, found)
            self.hold(self._fill(package, found))
        self.notices = found.header.notices(found.facts.hidden_rows, len(found.facts.hidden_columns))

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
        return sheet_header.only(self._path, [one for one in sheets if one is not None])

    def _open(
        self, package: WorkbookPackage, book: CalamineWorkbook, number: int, name: str, part: str
    ) -> _Sheet | None:
        """Return a sheet that has a header."""
        facts = package.facts(part)
        cells = book.get_sheet_by_name(name)
        left = [""] * (cells.start or (0, 0))[1]
        rows = ((row, left + found) for row, found in enumerate(cells.iter_rows(), 1))
        header = sheet_header.find(self._path, rows, self._dictionary)
        return _Sheet(number, name, part, cells, facts, header) if header else None

    def _check_merged(self, package: WorkbookPackage, sheet: _Sheet) -> None:
        """Refuse merged cells below the header: all but one of them would read as empty."""
        if any(end[0] + 1 > sheet.header.row for _, end in sheet.cells.merged_cell_ranges or ()):
            raise package.refused(file_sentences.NO_MERGED_CELLS)

    def _fill(self, package: WorkbookPackage, sheet: _Sheet) -> SheetColumns:
        """Return the columns below the header."""
        fields = [self._dictionary.names.field_of(name) for name in self.names]
        percents = [place for place, field in enumerate(fields) if field and field.kind == "percent"]
        formats = package.percents(sheet.part, percents)
        columns = SheetColumns(len(self.names), sheet.left, formats, sheet.facts.errors)
        columns.add(islice(enumerate(sheet.cells.iter_rows(), 1), sheet.header.row, None))
        return columns
