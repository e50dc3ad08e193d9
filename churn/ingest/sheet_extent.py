"""How far the cells of a sheet reach: told from its text, before anything makes room for them.

The reader of the cells holds a sheet as one rectangle, and a single cell may make it as large as it likes. A
sheet's text names millions of cells: numpy finds them where it is written as nearly all programs do, and an
XML parser where it is not.
"""

from typing import IO, Final, NamedTuple
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

_REFERENCE: Final = b' r="'  # as nearly all programs begin a cell or a row
_PADDING: Final = bytes(32)  # so that a tag which is cut off can be looked at
_TOO_FAR: Final = 1 << 40
_PARSED: Final = 1 << 20  # bytes at a time


class _Symbols(NamedTuple):
    """What numbers are written with: the first symbol with its value, and how many at most.

    `mask` makes small letters large.
    """

    mask: int
    first: int
    value: int
    base: int
    most: int  # more than any reference may have


_LETTERS: Final = _Symbols(0xDF, ord("A"), 1, 26, 4)
_DIGITS: Final = _Symbols(0xFF, ord("0"), 0, 10, 8)

Text = NDArray[np.uint8]
Places = NDArray[np.intp]


class SheetExtent:
    """The largest row and column that a reference names, from 1.

    `is_usual` tells whether all cells and rows have one where it was looked for: right after their names. If
    not, `parsed` knows.
    """

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.is_usual = True

    def add(self, text: bytes, end: int) -> None:
        """Take in the tags that begin before `end`; they may go on after it."""
        array = np.frombuffer(text + _PADDING, np.uint8)
        for name in (b"row", b"c"):
            self._add(array, _names(array, name, end) + len(name))
        if b"\0" in text[:4] or len(_names(array, b"row", end, b":")) or len(_names(array, b"c", end, b":")):
            self.is_usual = False  # UTF-16, or a prefix

    def _add(self, array: Text, places: Places) -> None:
        """Take in the references of tags, by where their names end."""
        usual = np.ones(len(places), dtype=bool)
        for offset, byte in enumerate(_REFERENCE):
            usual &= array[places + offset] == byte
        self.is_usual &= bool(usual.all())
        if not usual.any():
            return
        columns, places = _number(array, places[usual] + len(_REFERENCE), _LETTERS)
        rows, places = _number(array, places, _DIGITS)
        self.reach(rows, columns if (array[places] == ord('"')).all() else _TOO_FAR)

    def reach(self, rows: int, columns: int) -> None:
        """Take in a cell."""
        self.rows, self.columns = max(self.rows, rows), max(self.columns, columns)


def parsed(file: IO[bytes]) -> SheetExtent:
    """Return the extent of a sheet however it is written; a cell without a reference follows the last.

    Raises:
        xml.parsers.expat.ExpatError: it is no XML.
    """
    extent = SheetExtent()
    row, column = 1, 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        name, reference = tag.rpartition(":")[2], attributes.get("r", "")
        if name == "row" and reference:
            row = int(reference)
        elif name == "c":
            letters = reference.rstrip("0123456789")
            column = column_number(letters.upper().encode()) if letters.isalpha() else column + 1
            extent.reach(int(reference.removeprefix(letters) or row), column)

    def end(tag: str) -> None:
        nonlocal row, column
        if tag.rpartition(":")[2] == "row":
            row, column = row + 1, 0

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    while text := file.read(_PARSED):
        parser.Parse(text)
    parser.Parse(b"", True)
    return extent


def may_hold(array: Text, pair: bytes) -> bool:
    """Return whether two bytes follow each other in a text; that is faster to know than where."""
    first, second = pair
    return bool(((array[:-1] == first) & (array[1:] == second)).any())


def column_number(letters: bytes) -> int:
    """Return the number of a column, from 1; "A" is the first."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _names(array: Text, name: bytes, end: int, before: bytes = b"<") -> Places:
    """Return where whole names of tags begin, after a sign that stands before a place."""
    after = 1 + len(name)
    found = (array[:end] == ord(before)) & (array[after : end + after] < ord("A"))
    for offset, byte in enumerate(name, 1):
        found &= array[offset : end + offset] == byte
    return np.flatnonzero(found) + 1


def _number(array: Text, places: Places, symbols: _Symbols) -> tuple[int, Places]:
    """Return the largest of the numbers that begin at places, and where each of them ends."""
    numbers = np.zeros(len(places), dtype=np.int32)
    for _ in range(symbols.most):
        symbol = (array[places] & symbols.mask) - symbols.first
        goes_on = symbol < symbols.base
        if not goes_on.any():
            break
        numbers = np.where(goes_on, numbers * symbols.base + symbol + symbols.value, numbers)
        places = places + goes_on
    return int(numbers.max()), places
