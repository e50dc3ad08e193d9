"""How the numbers of a column are written: decided once for the column, by all of its cells."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.dictionary.field import Field
from churn.i18n import file_sentences
from churn.ingest import written_numbers
from churn.ingest.columns import as_floats, as_text, is_number
from churn.ingest.mark import OTHER_MARK, Mark
from churn.schemas.normalization import NUMBER


@dataclass(frozen=True, slots=True)
class Notation:
    """How to read a column's numbers.

    `thousands` parts groups of three digits, and the other mark the decimals. Where there is none, a point
    parts the decimals, and with `decimal_comma` a comma does too. With `fractions`, a percentage without its
    sign is a fraction: 0.11 is 11 %.
    """

    thousands: Mark | None = None
    decimal_comma: bool = False
    fractions: bool = False


def depends_on_cells(field: Field, kind: Any) -> bool:
    """Return whether only the cells of a column of this Arrow type show its notation."""
    return field.kind == "percent" or (field.kind == "number" and not is_number(kind))


class Evidence:
    """What a column's cells tell of its notation; they may be added some at a time, those that can tell.

    `decimal_comma` tells that the file's numbers may have decimal commas at all; `thousands` is the separator
    that somebody who knows the file has named, for columns that can be read in two ways.
    """

    def __init__(self, field: Field, *, decimal_comma: bool, thousands: Mark | None = None) -> None:
        self._field = field
        self._decimal_comma, self._thousands = decimal_comma or thousands == ".", thousands
        self._grouped: set[Mark] = set()  # marks that can only part thousands somewhere
        self._decimal: set[Mark] = set()  # marks that can only part decimals somewhere
        self._open: set[Mark] = set()  # marks that could do either somewhere
        self._above_one = self._one = self._between = False  # of percentages without their sign

    def add(self, column: Any) -> None:
        """Take in cells, as many of a column as there are at hand."""
        if is_number(column.type):
            self._add_percentages(as_floats(column))
            return
        texts = pc.utf8_trim_whitespace(as_text(column).dictionary)
        if self._field.kind == "percent":
            unsigned = pc.replace_substring(texts.filter(pc.invert(pc.ends_with(texts, "%"))), ",", ".")
            readable = unsigned.filter(pc.match_substring_regex(unsigned, NUMBER))
            self._add_percentages(np.asarray(readable.cast(pa.float64())))
        else:
            texts = written_numbers.plain(self._field, texts)
            for mark in OTHER_MARK:
                self._add_marked(texts.filter(pc.match_substring(texts, mark)), mark)

    def _add_percentages(self, numbers: NDArray[np.float64]) -> None:
        """Take in percentages that have no sign; NaN is none."""
        self._above_one |= bool((numbers > 1).any())
        self._one |= bool((numbers == 1).any())
        self._between |= bool(((numbers > 0) & (numbers < 1)).any())

    def _add_marked(self, texts: Any, mark: Mark) -> None:
        part, decimal = f"[{mark}]", f"[{OTHER_MARK[mark]}]"
        group = f"{part}[0-9]{{3}}"
        either = pc.match_substring_regex(texts, f"^-?[1-9][0-9]{{0,2}}{group}$")
        grouped = pc.match_substring_regex(texts, f"^-?[1-9][0-9]{{0,2}}({group})+({group}|{decimal}[0-9]*)$")
        alone = f"^-?([0-9]+{part}[0-9]*|{part}[0-9]+)([eE][+-]?[0-9]+)?$"
        decimals = pc.and_not(pc.match_substring_regex(texts, alone), either)
        for matches, marks in ((either, self._open), (grouped, self._grouped), (decimals, self._decimal)):
            if pc.any(matches).as_py():
                marks.add(mark)

    @property
    def problem(self) -> str | None:
        """What was expected, where the numbers can be read in two ways."""
        mark = self._doubtful() if self._thousands is None else None
        return mark and file_sentences.two_ways(mark)

    def notation(self) -> Notation:
        """Return how to read the column; where it can be read in two ways, as somebody has said."""
        thousands = self._thousands if self._doubtful() else self._settled()
        return Notation(thousands, self._decimal_comma, self._between and not self._above_one)

    def notice(self) -> str | None:
        """Return what the column's owner should know of how it is read, if anything."""
        notation, name = self.notation(), self._field.name
        if mark := self._doubtful() or self._settled():
            return file_sentences.read_as(name, mark, is_thousands=mark == notation.thousands)
        if notation.fractions:
            return file_sentences.fractions(name, has_one=self._one)
        if self._between:
            return file_sentences.percentages(name)
        if self._one and not self._above_one:
            return file_sentences.one_percent(name)
        return None

    def _settled(self) -> Mark | None:
        """Return the mark that parts thousands, where the cells tell."""
        for mark, other in OTHER_MARK.items():
            # A mark that may part thousands does, where the other parts decimals.
            if mark in self._grouped or (mark in self._open - self._decimal and other in self._decimal):
                return mark
        return None

    def _doubtful(self) -> Mark | None:
        """Return a mark that parts thousands or decimals, and it cannot be told which."""
        for mark, other in OTHER_MARK.items():
            if mark in self._grouped:
                return mark if mark in self._decimal or other in self._grouped else None
        for mark, other in OTHER_MARK.items():
            if mark in self._open - self._decimal and other not in self._decimal | self._grouped:
                return mark
        return None
