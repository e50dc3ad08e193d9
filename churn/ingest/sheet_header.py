"""The header of a sheet, and the one sheet with employees among those of a workbook."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences, reading_sentences
from churn.ingest.sheet_columns import value
from churn.ingest.title_rows import first_header

MAX_COLUMNS: Final = 1000
MAX_SHEETS: Final = 100
_SEARCHED: Final = 20  # rows that may be the header: titles may stand above it
_KNOWN: Final = 2  # names of ours that make a row a header, wherever it is


@dataclass(frozen=True, slots=True)
class SheetHeader:
    """The names of a sheet's columns, and the row that they stand in, from 1.

    `known` counts the names that are ours; `titles` tells that something stands above them.
    """

    row: int
    names: list[str]
    known: int
    titles: bool = False

    def notices(self, hidden_rows: Iterable[int], hidden_columns: int) -> list[str]:
        """Return what to know of how the sheet is read; of its hidden rows, by their numbers."""
        notices: list[str] = []
        if self.titles:
            notices.append(reading_sentences.titles(self.row - 1))
        rows = sum(row > self.row for row in hidden_rows)
        if rows or hidden_columns:
            notices.append(reading_sentences.hidden(rows, hidden_columns))
        return notices


class _Headed(Protocol):
    @property
    def header(self) -> SheetHeader: ...


_Sheet = TypeVar("_Sheet", bound=_Headed)


def find(path: Path, rows: Iterable[tuple[int, Sequence[Any]]], dictionary: Dictionary) -> SheetHeader | None:
    """Return the first row with names of ours, or else the first that is no title; None where none is filled.

    Raises:
        ExtractError: there are too many columns.
    """
    looked_at: list[SheetHeader] = []
    for row, cells in rows:
        names = ["" if cell == "" else str(value(cell)) for cell in cells]
        while names and not names[-1]:
            names.pop()
        if len(names) > MAX_COLUMNS:
            raise _refused(path, file_sentences.at_most(MAX_COLUMNS, "columns"), row)
        known = sum(_is_known(name, dictionary) for name in names)
        header = SheetHeader(row, names, known, titles=bool(looked_at))
        if known >= _KNOWN:
            return header
        if names:
            looked_at.append(header)
        if row >= _SEARCHED and looked_at:
            break
    place = first_header([header.names for header in looked_at])
    return None if place is None else looked_at[place]


def only(path: Path, sheets: Sequence[_Sheet]) -> _Sheet:
    """Return the sheet with employees.

    Raises:
        ExtractError: there is none, or several may be meant.
    """
    known = [sheet for sheet in sheets if sheet.header.known] or sheets[:1]
    if not known:
        raise _refused(path, file_sentences.A_FILLED_SHEET)
    if len(known) > 1:
        raise _refused(path, file_sentences.one_sheet(len(known)))
    return known[0]


def _is_known(name: str, dictionary: Dictionary) -> bool:
    names = dictionary.names
    return bool(name) and (names.field_of(name) is not None or names.is_passed_over(name))


def _refused(path: Path, expected: str, line: int | None = None) -> ExtractError:
    return ExtractError([Problem(path.name, line, None, None, expected)])
