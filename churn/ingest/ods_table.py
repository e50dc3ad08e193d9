"""The tables of an OpenDocument spreadsheet (.ods), read row by row as the XML comes.

The library that reads .xlsx files here makes room for all cells and rows that a file says are repeated before
it can be asked how many, and does not tell percentages from other numbers. So the XML is read here, and what
is repeated is counted before it is held.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import IO, Any, Final
from xml.etree import ElementTree

from churn.i18n import file_sentences
from churn.ingest.sheet_header import MAX_COLUMNS

MAX_ROWS: Final = 1 << 20
MAX_CELLS: Final = 20_000_000  # of all sheets, repeated ones too
_MAX_HELD: Final = 100_000  # elements of a row, or of all styles
_MAX_SPACES: Final = 1000  # in a row: more are nobody's text
_NAMESPACES: Final = "urn:oasis:names:tc:opendocument:xmlns"
_OFFICE, _TABLE = f"{{{_NAMESPACES}:office:1.0}}", f"{{{_NAMESPACES}:table:1.0}}"
_TEXT, _STYLE = f"{{{_NAMESPACES}:text:1.0}}", f"{{{_NAMESPACES}:style:1.0}}"
_CELLS: Final = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_SPANS: Final = (f"{_TABLE}number-columns-spanned", f"{_TABLE}number-rows-spanned")
_HIDDEN: Final = ("collapse", "filter")

Row = tuple[int, list[Any]]


class OdsError(Exception):
    """What a file is refused for, as the expectation that it does not meet."""


class OdsTable:
    """A table; `rows` can be taken once, before the next table is.

    What it holds beside values is known once the rows were taken: `percents` has the rows of columns (from 0)
    with percentages, `merged` the last row with merged cells, `hidden_rows` and `hidden_columns` what is not
    shown; rows count from 1.
    """

    def __init__(self, number: int, name: str, *, visible: bool) -> None:
        self.number, self.name, self.visible = number, name, visible
        self.rows: Iterator[Row] = iter(())
        self.percents: dict[int, set[int]] = defaultdict(set)
        self.hidden_rows: set[int] = set()
        self.hidden_columns = self.merged = 0


class OdsContent:
    """The content of a file; its events are read once, in their order."""

    def __init__(self, file: IO[bytes]) -> None:
        self._events = ElementTree.iterparse(file, ("start", "end"))  # noqa: S314 - it declares no entities
        self._parents: list[ElementTree.Element] = []
        self._held = self._cells = self._tables = 0
        self._hidden_styles: set[str] = set()

    def tables(self) -> Iterator[OdsTable]:
        """Yield the tables; the rest of one is passed over when the next is asked for.

        Raises:
            OdsError: a table is too large, or has a formula without its value.
        """
        for event, element in self._walk():
            if event == "end" and element.tag == f"{_STYLE}style":
                self._note_style(element)
            elif event == "start" and self._is_table(element):
                self._tables += 1
                visible = element.get(f"{_TABLE}style-name") not in self._hidden_styles
                table = OdsTable(self._tables, element.get(f"{_TABLE}name", ""), visible=visible)
                table.rows = self._rows(table)
                yield table
                for _ in table.rows:
                    pass

    def _walk(self) -> Iterator[tuple[str, ElementTree.Element]]:
        """Yield the events, keeping the elements around, and no rows that have been read."""
        for event, element in self._events:
            if event == "start":
                self._parents.append(element)
                self._held += 1
                if self._held > _MAX_HELD:
                    raise OdsError(file_sentences.A_SMALLER_WORKBOOK)
            else:
                self._parents.pop()
            yield event, element
            if event == "end" and element.tag in (f"{_TABLE}table-row", f"{_STYLE}style"):
                self._parents[-1].remove(element)
                self._held = len(self._parents)

    def _is_table(self, element: ElementTree.Element) -> bool:
        return (
            element.tag == f"{_TABLE}table"
            and len(self._parents) > 1
            and self._parents[-2].tag == f"{_OFFICE}spreadsheet"
        )

    def _note_style(self, style: ElementTree.Element) -> None:
        properties = style.find(f"{_STYLE}table-properties")
        if properties is not None and properties.get(f"{_TABLE}display") == "false":
            self._hidden_styles.add(style.get(f"{_STYLE}name", ""))

    def _rows(self, table: OdsTable) -> Iterator[Row]:
        """Yield the rows that are not empty, each as often as it is repeated."""
        number, depth = 0, len(self._parents)
        for event, element in self._walk():
            if event != "end":
                continue
            if len(self._parents) < depth:
                return
            if element.tag == f"{_TABLE}table-column" and element.get(f"{_TABLE}visibility") in _HIDDEN:
                table.hidden_columns += _count(element, "columns")
            if element.tag == f"{_TABLE}table-row":
                times = _count(element, "rows")
                if values := self._values(element, number + 1, times, table):
                    for row in range(number + 1, number + times + 1):
                        yield row, list(values)
                number += times

    def _values(self, row: ElementTree.Element, number: int, times: int, table: OdsTable) -> list[Any]:
        """Return the values of a row up to the last that is not empty."""
        values: list[Any] = []
        repeated = range(number, number + times)
        empty = 0
        for cell in (one for one in row if one.tag in _CELLS):
            value, count = _value(cell), _count(cell, "columns")
            if any(cell.get(span, "1") != "1" for span in _SPANS):
                table.merged = number
            if value == "":
                empty += count
                continue
            self._check_size(len(values) + empty + count, repeated)
            values += [""] * empty
            if cell.get(f"{_OFFICE}value-type") == "percentage":
                for place in range(len(values), len(values) + count):
                    table.percents[place].update(repeated)
            values += [value] * count
            empty = 0
        self._cells += len(values) * times
        if values and row.get(f"{_TABLE}visibility") in _HIDDEN:
            table.hidden_rows.update(repeated)
        return values

    def _check_size(self, columns: int, rows: range) -> None:
        if columns > MAX_COLUMNS:
            raise OdsError(file_sentences.at_most(MAX_COLUMNS, "columns"))
        if rows.stop > MAX_ROWS + 1:
            raise OdsError(file_sentences.at_most(MAX_ROWS, "rows"))
        if self._cells + columns * len(rows) > MAX_CELLS:
            raise OdsError(file_sentences.A_SMALLER_WORKBOOK)


def _count(element: ElementTree.Element, what: str) -> int:
    return max(int(element.get(f"{_TABLE}number-{what}-repeated", "1")), 1)


def _value(cell: ElementTree.Element) -> float | str:
    """Return what is in a cell: a number, or a text of anything else; of what failed, what is shown.

    Durations are as they are shown, and dates as ISO 8601 writes them.
    """
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "percentage", "currency"):
        return float(cell.get(f"{_OFFICE}value", ""))
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value", "").upper()
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "")
    text = cell.get(f"{_OFFICE}string-value") or "\n".join(map(_shown, cell.iterfind(f"{_TEXT}p")))
    if kind is None and not text and cell.get(f"{_TABLE}formula"):
        raise OdsError(file_sentences.FORMULAS_WITH_VALUES)
    return text


def _shown(paragraph: ElementTree.Element) -> str:
    """Return the text of a paragraph; some of its spaces are elements."""
    for spaces in paragraph.iter(f"{_TEXT}s"):
        spaces.text = " " * min(int(spaces.get(f"{_TEXT}c", "1")), _MAX_SPACES)
    return "".join(paragraph.itertext())
