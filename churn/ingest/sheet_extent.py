"""How far the cells of a sheet reach: told from its text, before anything makes room for them.

The reader of the cells holds a sheet as one rectangle, and a single cell may make it as large as it likes. A
sheet's text names millions of cells: numpy finds them.
"""

import re
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_REFERENCE: Final = b' r="'  # as nearly all programs begin a cell or a row
# Where other attributes come first, or spaces stand around the sign.
_ATTRIBUTE: Final = re.compile(rb"[^<]*?\sr\s*=\s*[\"']([A-Za-z]*)([0-9]*)[\"']")
_LONGEST_TAG: Final = 4096
_LONGEST_PREFIX: Final = 256
_PADDING: Final = bytes(32)  # so that a tag which is cut off can be looked at
_TOO_FAR: Final = 1 << 40


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
    """Bounds of a sheet's rectangle that what the reader of the cells holds cannot exceed.

    `rows` and `columns` are the largest that a reference names. `loose_rows` and `loose_cells` count those
    without one, which come after another: in the worst case all of them after the largest.
    """

    def __init__(self) -> None:
        self.rows = self.columns = self.loose_rows = self.loose_cells = 0

    def add(self, text: bytes, end: int) -> None:
        """Take in the tags that begin before `end`; they may go on after it."""
        array = np.frombuffer(text + _PADDING, np.uint8)
        self.loose_rows += self._add(text, array, _tags(array, b"row", end))
        self.loose_cells += self._add(text, array, _tags(array, b"c", end))

    def _add(self, text: bytes, array: Text, places: Places) -> int:
        """Take in tags, by where their names end; return how many have no reference."""
        usual = np.ones(len(places), dtype=bool)
        for offset, byte in enumerate(_REFERENCE):
            usual &= array[places + offset] == byte
        if usual.any():
            self._refer(array, places[usual] + len(_REFERENCE))
        return sum(self._is_loose(text, place) for place in places[~usual].tolist())

    def _refer(self, array: Text, places: Places) -> None:
        """Take in the references that begin at these places."""
        columns, places = _number(array, places, _LETTERS)
        rows, places = _number(array, places, _DIGITS)
        self._reach(rows, columns if (array[places] == ord('"')).all() else _TOO_FAR)

    def _is_loose(self, text: bytes, place: int) -> bool:
        found = _ATTRIBUTE.match(text, place, place + _LONGEST_TAG)
        if found is None:
            return True
        letters, digits = found.groups()
        is_short = len(letters) <= _LETTERS.most and len(digits) <= _DIGITS.most
        self._reach(
            int(digits or 0) if is_short else 0, column_number(letters.upper()) if is_short else _TOO_FAR
        )
        return b">" in found.group()  # then it may stand in the tag, or after it

    def _reach(self, rows: int, columns: int) -> None:
        self.rows, self.columns = max(self.rows, rows), max(self.columns, columns)


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


def _tags(array: Text, name: bytes, end: int) -> Places:
    """Return where the names of opening tags end that begin before a place, with a prefix or without."""
    after = 1 + len(name)
    begin = array[:end]
    found = ((begin == ord("<")) | (begin == ord(":"))) & (array[after : end + after] < ord("A"))
    for offset, byte in enumerate(name, 1):
        found &= array[offset : end + offset] == byte
    places = np.flatnonzero(found)
    prefixed = array[places] == ord(":")
    if prefixed.any():
        places = np.concatenate([places[~prefixed], _opening(array, places[prefixed])])
    return places + after


def _opening(array: Text, colons: Places) -> Places:
    """Return those colons that part the prefix of an opening tag from its name."""
    places = colons
    for _ in range(_LONGEST_PREFIX):
        inside = (array[places] != ord("<")) & (array[places] != ord(">")) & (places > 0)
        if not inside.any():
            break
        places = places - inside
    return colons[(array[places] != ord(">")) & (array[places + 1] != ord("/"))]


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
