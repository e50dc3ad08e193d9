"""The columns of a file that nothing is known of yet: their texts, and how often each occurs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.core.errors import ExtractError, Problem
from churn.core.language import Bilingual
from churn.dictionary import usual_words
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.ingest.columns import as_text, joined
from churn.ingest.reader import open_reader, reading, understood

MOST_ROWS = 200_000  # that tell what a column holds

_ANYBODY = Dictionary(
    fields=(Field("employee_id", "", "identifier", "identifier", ("employee_id", "employee_id")),)
)
_ANYTHING = Field("", "", "number", "optional", ("", ""))
_YES_NO = Field("", "", "category", "optional", ("", ""), categories=("Yes", "No"))


def yes_or_no(text: str) -> str | None:
    """Return "Yes" or "No" where a text is a usual word for it, or a 1 or a 0."""
    return usual_words.category(_YES_NO, text)


@dataclass(frozen=True, eq=False)
class RawColumn:
    """One column; `cells` are Arrow's, `decimal_comma` whether its numbers may have one."""

    name: str
    cells: Any
    decimal_comma: bool

    @cached_property
    def _encoded(self) -> Any:
        return as_text(self.cells)

    @cached_property
    def texts(self) -> list[str]:
        """The distinct texts, without surrounding space; several may be alike by that."""
        texts: list[str] = pc.utf8_trim_whitespace(self._encoded.dictionary).to_pylist()
        return texts

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """The place of each row's text in `texts`."""
        return np.asarray(self._encoded.indices).astype(np.intp)

    @cached_property
    def is_known(self) -> NDArray[np.bool_]:
        """Which rows have a value."""
        return np.array(self._are_known, dtype=bool)[self.codes]

    @cached_property
    def _are_known(self) -> list[bool]:
        return [bool(text) and not usual_words.is_missing(_ANYTHING, text) for text in self.texts]

    @property
    def values(self) -> list[str]:
        """The text of each row, empty where there is no value."""
        texts = [text if known else "" for text, known in zip(self.texts, self._are_known, strict=True)]
        return [texts[code] for code in self.codes.tolist()]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows have each value, those of most rows first."""
        counts: dict[str, int] = {}
        occurrences = np.bincount(self.codes[self.is_known], minlength=len(self.texts))
        for text, count in zip(self.texts, occurrences.tolist(), strict=True):
            if count:
                counts[text] = counts.get(text, 0) + count
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    @property
    def known(self) -> int:
        """The number of rows with a value."""
        return int(self.is_known.sum())

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.known == len(self.codes) == len(self.counts) > 1


@dataclass(frozen=True, slots=True)
class RawTable:
    """One file: its columns, and in one line how it is read."""

    path: Path
    columns: tuple[RawColumn, ...]
    understood: Bilingual

    @property
    def rows(self) -> int:
        """The number of rows that were looked at."""
        return len(self.columns[0].codes)


def read(path: Path, most: int = MOST_ROWS) -> RawTable:
    """Return the columns of a file, of a large one those of its first rows: `most`, and some more.

    Raises:
        ExtractError: it cannot be read, has no row, or two columns of one name.
    """
    reader = open_reader(path, _ANYBODY)
    named = [position for position, name in enumerate(reader.names) if name.strip()]
    names = [reader.names[position].strip() for position in named]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise _refused(path, f"columns of different names; {repeated[0]!r} stands there twice")
    parts = list(_limited(reader.scan(named), most))
    if not parts or not sum(len(part[0]) for part in parts):
        raise _refused(path, "rows below the header")
    columns = (
        RawColumn(name, joined([part[place] for part in parts]), reader.decimal_comma)
        for place, name in enumerate(names)
    )
    table = tuple(columns)
    return RawTable(path, table, understood(reading(path, reader, {}, len(table[0].codes))))


def _limited(parts: Iterator[Sequence[Any]], most: int) -> Iterator[Sequence[Any]]:
    rows = 0
    for part in parts:
        yield part
        rows += len(part[0])
        if rows >= most:
            return


def _refused(path: Path, expected: str) -> ExtractError:
    return ExtractError([Problem(path.name, None, None, None, expected)])
