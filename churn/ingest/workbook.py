"""A workbook of Excel's, .xlsx: one of its sheets has the employees, and is read once, into columns.

Each cell says what it is: a number, a text, a date, an error; and a number format says which numbers are
percentages. What a workbook would compute or fetch is neither computed nor fetched.
"""

import re
import warnings
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path
from typing import Any, Final

import numpy as np
import openpyxl
import pyarrow as pa

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences
from churn.ingest.raw_rows import BATCH_ROWS, RawRows

MAX_ROWS: Final = 1 << 20  # of a sheet, in Excel
MAX_COLUMNS: Final = 1000
MAX_SHEETS: Final = 100
MAX_UNPACKED: Final = 2 * 1024**3  # bytes of all parts of a workbook
MAX_PART: Final = 256 * 1024**2  # bytes of one that is held in memory, such as all texts
MAX_STYLES: Final = 16 * 1024**2  # bytes: far more than any company's own workbook has
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"  # how encrypted workbooks and Excel's old ones begin
_SHEETS: Final = "xl/worksheets/"
_STYLES: Final = "xl/styles.xml"
_SCANNED: Final = 1 << 20  # bytes of a sheet at a time
_LONGEST_MATCH: Final = 16_384
_LONGEST_PROLOG: Final = 65_536  # bytes of a part that may declare entities
# A formula without the value that Excel stores with it would read as nothing.
_WITHOUT_VALUE: Final = re.compile(
    rb'<c\b(?![^>]*\bt="str")[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_MERGED: Final = re.compile(rb'<mergeCell\b[^>]*\bref="[A-Z]+[0-9]+:[A-Z]+([0-9]+)"')


class WorkbookReader:
    """The sheet with employees of an .xlsx file.

    It is the visible one with a column that stands for a field; `sheet` is its number, from 1.
    """

    decimal_comma = True  # of numbers that are texts
    delimiter = encoding = None
    format = "xlsx"
    notices: Sequence[str] = ()
    blanks = 0

    def __init__(self, path: Path, dictionary: Dictionary, *, sheet: str | None = None) -> None:
        self._path, self._dictionary = path, dictionary
        self.names: list[str] = []
        self._rows = array("q")  # of the sheet, for each row below the header
        self._ragged: list[tuple[int, int]] = []
        self._read = 0
        with self._explained(), path.open("rb") as file, zipfile.ZipFile(path) as archive:
            self._check(archive)
            # The library would leave a damaged file open; this one is ours.
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            self.sheet, found, header_row = self._choose(book, sheet)
            self.sheet_name: str = found.title
            self._scan(archive, found, header_row)
            self._columns = self._fill(found, header_row)
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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever a damaged workbook makes the library raise into a problem of the file."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they may quote cells
                yield
        except (ExtractError, MemoryError):
            raise
        except Exception as error:
            with self._path.open("rb") as file:
                is_compound = file.read(len(_COMPOUND)) == _COMPOUND
            if is_compound:
                raise self._refused(file_sentences.NO_PASSWORD) from error
            raise self._refused(file_sentences.readable(".xlsx", type(error).__name__)) from error

    def _refused(self, expected: str, line: int | None = None) -> ExtractError:
        return ExtractError([Problem(self._path.name, line, None, None, expected)])

    def _check(self, archive: zipfile.ZipFile) -> None:
        """Refuse what is too large unpacked, or has macros; no part unpacks to more than it says."""
        parts = archive.infolist()
        sizes = {part.filename: part.file_size for part in parts}
        held = [size for name, size in sizes.items() if not name.startswith(_SHEETS)]
        if (
            sum(part.file_size for part in parts) > MAX_UNPACKED
            or max(held, default=0) > MAX_PART
            or sizes.get(_STYLES, 0) > MAX_STYLES
        ):
            raise self._refused(file_sentences.A_SMALLER_WORKBOOK)
        for part in parts:
            # Before the root element; the parser bounds what entities come to, wherever they are declared.
            with archive.open(part) as file:
                if b"<!DOCTYPE" in file.read(_LONGEST_PROLOG).replace(b"\0", b""):
                    raise self._refused(file_sentences.readable(".xlsx", "DOCTYPE"))
        if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
            raise self._refused(file_sentences.NO_MACROS)

    def _choose(self, book: Any, asked: str | None) -> tuple[int, Any, int]:
        """Return the sheet with employees, its number, and the row of its header, which becomes `names`.

        A sheet that is `asked` for by its name may be hidden.
        """
        if len(book.worksheets) > MAX_SHEETS:
            raise self._refused(file_sentences.at_most(MAX_SHEETS, "sheets"))
        visible = [
            (number, sheet, *self._header(sheet))
            for number, sheet in enumerate(book.worksheets, 1)
            if (sheet.sheet_state == "visible" if asked is None else sheet.title == asked)
        ]
        if asked is not None and not visible:
            raise self._refused(file_sentences.a_sheet_of([sheet.title for sheet in book.worksheets]))
        filled = [one for one in visible if one[2]]
        field_of = self._dictionary.names.field_of
        known = [one for one in filled if any(field_of(name) for name in one[3])] or filled[:1]
        if not known:
            raise self._refused(file_sentences.A_FILLED_SHEET)
        if len(known) > 1:
            raise self._refused(file_sentences.one_sheet(len(known)))
        [(number, sheet, row, self.names)] = known
        return number, sheet, row

    def _header(self, sheet: Any) -> tuple[int, list[str]]:
        """Return the number and the texts of the first row that is not empty; 0 where there is none."""
        for number, cells in self._numbered(sheet):
            texts = ["" if cell.value is None else str(_value(cell)) for cell in cells]
            while texts and not texts[-1]:
                texts.pop()
            if len(texts) > MAX_COLUMNS:
                raise self._refused(file_sentences.at_most(MAX_COLUMNS, "columns"), number)
            if texts:
                return number, texts
        return 0, []

    def _numbered(self, sheet: Any) -> Iterator[tuple[int, Any]]:
        """Yield the rows of a sheet with their numbers, whatever the sheet says about its size."""
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(), 1):
            if number > MAX_ROWS:
                raise self._refused(file_sentences.at_most(MAX_ROWS, "rows"))
            yield number, cells

    def _scan(self, archive: zipfile.ZipFile, sheet: Any, header_row: int) -> None:
        """Refuse a sheet whose cells would read as empty and are not: in merged ones, or not computed."""
        with archive.open(sheet._worksheet_path) as file:
            before = b""
            while part := file.read(_SCANNED):
                text = before + part
                if _WITHOUT_VALUE.search(text):
                    raise self._refused(file_sentences.FORMULAS_WITH_VALUES)
                if any(int(merged[1]) > header_row for merged in _MERGED.finditer(text)):
                    raise self._refused(file_sentences.NO_MERGED_CELLS)
                before = text[-_LONGEST_MATCH:]

    def _fill(self, sheet: Any, header_row: int) -> list[Any]:
        """Return the columns below the header: of numbers, or of texts where there is anything else."""
        field_of, width = self._dictionary.names.field_of, len(self.names)
        fields = [field_of(name) for name in self.names]
        percents = {place for place, field in enumerate(fields) if field and field.kind == "percent"}
        columns = [_Column(is_percent=place in percents) for place in range(width)]
        for number, cells in self._numbered(sheet):
            if number <= header_row:
                continue
            length = max((place for place, cell in enumerate(cells, 1) if cell.value is not None), default=0)
            if not length:
                continue  # as an empty line of a CSV file
            self._rows.append(number)
            if length > width:
                self._ragged.append((len(self._rows), length))
                continue
            for place, column in enumerate(columns):
                column.append(cells[place] if place < length else None)
        return [column.end() for column in columns]


class _Column:
    """The cells of one column, some at a time as Arrow's."""

    def __init__(self, *, is_percent: bool) -> None:
        self._is_percent = is_percent
        self._cells: list[float | str | None] = []
        self._has_text = False
        self._parts: list[Any] = []

    def append(self, cell: Any) -> None:
        """Add a cell; None is an empty one."""
        value = None if cell is None or cell.value is None else _value(cell, is_percent=self._is_percent)
        self._has_text |= isinstance(value, str)
        self._cells.append(value)
        if len(self._cells) >= BATCH_ROWS:
            self._pack()

    def end(self) -> Any:
        """Return the whole column."""
        self._pack()
        if any(pa.types.is_string(part.type) for part in self._parts):
            self._parts = [part.cast(pa.string()) for part in self._parts]
        return pa.concat_arrays(self._parts)

    def _pack(self) -> None:
        if self._has_text:
            texts = [None if cell is None else _text(cell) for cell in self._cells]
            self._parts.append(pa.array(texts, pa.string()))
        else:
            self._parts.append(pa.array(self._cells, pa.float64()))
        self._cells, self._has_text = [], False


def _value(cell: Any, *, is_percent: bool = False) -> float | str:
    """Return what is in a cell: a number, or a text of anything else."""
    value = cell.value
    if cell.data_type == "n" and isinstance(value, int | float):
        if is_percent and "%" in cell.number_format:
            return f"{_text(round(value * 100, 9))} %"
        return float(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _text(value: float | str) -> str:
    """Return a number as somebody would write it, with a decimal point."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value
