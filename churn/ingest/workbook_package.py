"""The parts of an .xlsx file: what is refused before any is read, and what the cells' reader leaves out.

The reader of the cells (calamine) gives an empty text for a failed formula, knows no number formats, and
holds a sheet as one rectangle. So the text of the sheet is scanned for these.
"""

import re
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np

from churn.core.errors import ExtractError, Problem
from churn.i18n import file_sentences
from churn.ingest import sheet_extent
from churn.ingest.sheet_extent import SheetExtent, column_number, may_hold
from churn.ingest.sheet_header import MAX_COLUMNS

MAX_ROWS: Final = 1 << 20  # of a sheet, in Excel
MAX_CELLS: Final = 20_000_000  # of the rectangles around the cells of all sheets that are looked at
MAX_UNPACKED: Final = 2 * 1024**3  # bytes of all parts of a workbook
MAX_PART: Final = 256 * 1024**2  # bytes of one that is held in memory, such as all texts
MAX_STYLES: Final = 16 * 1024**2  # bytes: far more than any company's own workbook has
_SHEETS: Final = "xl/worksheets/"
_STYLES: Final = "xl/styles.xml"
_SCANNED: Final = 1 << 20  # bytes of a sheet at a time
_LONGEST_MATCH: Final = 16_384
_LONGEST_PROLOG: Final = 65_536  # bytes of a part that may declare entities
_PERCENTS: Final = {9, 10}  # number formats that every workbook has: 0% and 0.00%
LAST_COLUMN: Final = 16_384  # in Excel: XFD
_ID: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# Of a sheet's text. A formula without the value that Excel stores with it would read as nothing.
_CELL: Final = rb"<(?:\w+:)?c\b"
_WITHOUT_VALUE: Final = re.compile(
    _CELL + rb'(?![^>]*\bt="str")[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_ERROR: Final = re.compile(
    _CELL + rb'(?=[^>]*\br="([A-Z]+)([0-9]+)")[^>]*\bt="e"[^>]*>'
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)
_HIDDEN_ROW: Final = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\bhidden="(?:1|true)")[^>]*\br="([0-9]+)"')
_HIDDEN_COLUMN: Final = re.compile(rb'<(?:\w+:)?col\b(?=[^>]*\bhidden="(?:1|true)")[^>]*\bmin="([0-9]+)"')


@dataclass(slots=True)
class SheetFacts:
    """What a sheet's text says beside its cells' values.

    `errors` are the texts of failed formulas by row (from 1) and column (from 0); `hidden_rows` and
    `hidden_columns` are numbers, from 1.
    """

    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


class WorkbookPackage:
    """An .xlsx file as an archive of parts.

    Raises:
        ExtractError: it is too large unpacked, has macros, or declares entities.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        self._cells = 0  # of the sheets that were scanned
        self._check()
        self._percents = self._percent_styles()

    def refused(self, expected: str, line: int | None = None) -> ExtractError:
        """Return a problem of the file."""
        return ExtractError([Problem(self._path.name, line, None, None, expected)])

    def parts(self) -> list[tuple[str, str]]:
        """Return the names of the sheets, in the workbook's order, and the parts that they are in."""
        targets = {
            one.get("Id"): one.get("Target", "") for one in self._elements("xl/_rels/workbook.xml.rels")
        }
        sheets = []
        for one in self._elements("xl/workbook.xml"):
            if one.tag.rpartition("}")[2] == "sheet":
                target = targets.get(one.get(_ID), "")
                part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
                sheets.append((one.get("name", ""), part))
        return sheets

    def facts(self, part: str) -> SheetFacts:
        """Scan a sheet.

        Raises:
            ExtractError: it is too large, or has a formula without its value.
        """
        facts, extent = SheetFacts(), SheetExtent()
        for raw, end in self._scanned(part):
            extent.add(raw, end)
            array, text = np.frombuffer(raw, np.uint8), _quoted(raw)
            if (may_hold(array, b"<f") or may_hold(array, b":f")) and _WITHOUT_VALUE.search(text):
                raise self.refused(file_sentences.FORMULAS_WITH_VALUES)
            if may_hold(array, b'"e'):
                _add_errors(text, facts)
            if may_hold(array, b"n=") and b"hidden=" in text:
                facts.hidden_rows.update(map(int, _HIDDEN_ROW.findall(text)))
                facts.hidden_columns.update(map(int, _HIDDEN_COLUMN.findall(text)))
        if not extent.is_usual:
            with self._archive.open(part) as file:
                extent = sheet_extent.parsed(file)
        self._check_size(extent)
        return facts

    def percents(self, part: str, columns: Collection[int]) -> dict[int, set[int]]:
        """Return the rows (from 1) of some columns (from 0) whose number format is a percentage."""
        found: dict[int, set[int]] = {column: set() for column in columns}
        if self._percents and columns:
            names = {_letters(column): column for column in columns}
            reference = rb'r="(' + b"|".join(names) + rb')([0-9]+)"'
            style = rb's="(?:' + b"|".join(b"%d" % style for style in sorted(self._percents)) + rb')"'
            orders = [
                re.compile(reference + rb"[^>]*?" + style),
                re.compile(style + rb"[^>]*?\b" + reference),
            ]
            for text, _ in self._scanned(part):
                for order in orders:
                    for name, row in order.findall(_quoted(text)):
                        found[names[name]].add(int(row))
        return found

    def _scanned(self, part: str) -> Iterator[tuple[bytes, int]]:
        """Yield a sheet's text some at a time, with the place that the next text begins with.

        What comes after that place is the longest that anything looked for can be.
        """
        with self._archive.open(part) as file:
            text = b""
            while fresh := file.read(_SCANNED):
                text += fresh
                end = max(len(text) - _LONGEST_MATCH, 0)
                yield text, end
                text = text[end:]
            yield text, len(text)

    def _check(self) -> None:
        """Refuse what is too large unpacked, or has macros; no part unpacks to more than it says."""
        parts = self._archive.infolist()
        sizes = {part.filename: part.file_size for part in parts}
        held = [size for name, size in sizes.items() if not name.startswith(_SHEETS)]
        if (
            sum(part.file_size for part in parts) > MAX_UNPACKED
            or max(held, default=0) > MAX_PART
            or sizes.get(_STYLES, 0) > MAX_STYLES
        ):
            raise self.refused(file_sentences.A_SMALLER_WORKBOOK)
        for part in parts:
            # Before the root element; the parser bounds what entities come to, wherever they are declared.
            with self._archive.open(part) as file:
                if b"<!DOCTYPE" in file.read(_LONGEST_PROLOG).replace(b"\0", b""):
                    raise self.refused(file_sentences.readable(".xlsx", "DOCTYPE"))
        if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
            raise self.refused(file_sentences.NO_MACROS)

    def _check_size(self, extent: SheetExtent) -> None:
        rows, columns = extent.rows, extent.columns
        if rows > MAX_ROWS:
            raise self.refused(file_sentences.at_most(MAX_ROWS, "rows"))
        if columns > LAST_COLUMN:
            raise self.refused(file_sentences.readable(".xlsx", "cell reference"))
        if columns > MAX_COLUMNS:
            raise self.refused(file_sentences.at_most(MAX_COLUMNS, "columns"))
        self._cells += rows * columns
        if self._cells > MAX_CELLS:
            raise self.refused(file_sentences.A_SMALLER_WORKBOOK)

    def _percent_styles(self) -> set[int]:
        """Return the styles of cells whose number format is a percentage."""
        if _STYLES not in self._archive.namelist():
            return set()
        custom, styles = set(_PERCENTS), set[int]()
        for one in self._elements(_STYLES):
            tag = one.tag.rpartition("}")[2]
            if tag == "numFmt" and "%" in one.get("formatCode", ""):
                custom.add(int(one.get("numFmtId", "0")))
            elif tag == "cellXfs":
                formats = [int(style.get("numFmtId", "0")) for style in one]
                styles = {place for place, number_format in enumerate(formats) if number_format in custom}
        return styles

    def _elements(self, part: str) -> Iterator[Any]:
        """Yield all elements of a part that is small, parents first."""
        if self._archive.getinfo(part).file_size > MAX_STYLES:
            raise self.refused(file_sentences.A_SMALLER_WORKBOOK)
        # No part declares entities: that was checked.
        return ElementTree.fromstring(self._archive.read(part)).iter()  # noqa: S314


def _quoted(text: bytes) -> bytes:
    """Return a text whose attributes are in double quotes."""
    return text.replace(b"'", b'"') if may_hold(np.frombuffer(text, np.uint8), b"='") else text


def _add_errors(text: bytes, facts: SheetFacts) -> None:
    for name, row, shown in _ERROR.findall(text):
        facts.errors.setdefault(int(row), {})[column_number(name) - 1] = shown.decode(errors="replace")


def _letters(column: int) -> bytes:
    """Return the name of a column, counted from 0."""
    name, number = b"", column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = bytes([65 + rest]) + name
    return name
