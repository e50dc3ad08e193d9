"""What a run warns of: the sentences of each row, as the API's, and how often each kind was met."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.dictionary import domain
from churn.dictionary.domain import Language
from churn.i18n import messages
from churn.ingest.cells import Mask
from churn.model.vectorized import Cells

SEPARATOR = "; "  # between the sentences of one row


@dataclass(frozen=True, slots=True)
class WarningCount:
    """How many rows have a warning of one kind, of how many that could have it."""

    about: str  # with a place for the count
    rows: int
    of: int

    @property
    def is_most(self) -> bool:
        """Whether so many have it that the file, not its employees, must be the reason."""
        return self.rows * 2 > self.of

    def __str__(self) -> str:
        return self.about.format(f"{self.rows:,} of {self.of:,}")


class Warnings:
    """The warnings of one run, in one language; `seen` has the ranges of the model's training data."""

    def __init__(self, seen: Mapping[str, tuple[float, float]], language: Language) -> None:
        self._seen, self._language = seen, language
        self._warned: Counter[str] = Counter()
        self._of: Counter[str] = Counter()

    def of(self, cells: Cells, rows: int) -> Any:
        """Return each row's sentences, joined; an array of text, empty where there is nothing to warn of."""
        parts = [*self._out_of_range(cells), *self._implausible(cells)]
        if not parts:
            return pa.repeat("", rows)
        return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*parts, ""), len(SEPARATOR))

    def tallies(self) -> list[WarningCount]:
        """Return what was met so far, in English, the most frequent first."""
        return [WarningCount(about, rows, self._of[about]) for about, rows in self._warned.most_common()]

    def _out_of_range(self, cells: Cells) -> list[Any]:
        parts = []
        for name, (low, high) in self._seen.items():
            if name not in cells:
                continue
            field, numbers = domain.BY_NAME[name], cells[name]
            outside = (numbers < low) | (numbers > high)
            about = f"{field.label('en')}: {{}} lie outside what the model has seen ({low:g} – {high:g})"
            if self._count(about, outside, ~np.isnan(numbers)):
                distinct, places = np.unique(numbers[outside], return_inverse=True)
                texts = [
                    messages.out_of_range(field, number, (low, high), self._language)
                    for number in distinct.tolist()
                ]
                parts.append(_placed(texts, places, outside))
        return parts

    def _implausible(self, cells: Cells) -> list[Any]:
        parts = []
        for smaller, larger, margin in domain.IMPLAUSIBLE:
            if smaller not in cells or larger not in cells:
                continue
            low, high = cells[smaller], cells[larger]
            odd = low + margin > high
            pair = domain.BY_NAME[smaller], domain.BY_NAME[larger]
            about = f"{pair[0].label('en')} with {pair[1].label('en')}: {{}} are implausible"
            if self._count(about, odd, ~np.isnan(low + high)):
                text = messages.implausible(*pair, self._language)
                parts.append(_placed([text], np.zeros(np.count_nonzero(odd), dtype=np.int64), odd))
        return parts

    def _count(self, about: str, warned: Mask, known: Mask) -> int:
        found = int(np.count_nonzero(warned))
        self._of[about] += int(np.count_nonzero(known))
        if found:
            self._warned[about] += found
        return found


def _placed(texts: list[str], places: NDArray[np.int64], rows: Mask) -> Any:
    """Return a text, after a separator, for each of the rows that have one, and nothing for the others."""
    found = np.zeros(len(rows), dtype=np.int64)
    found[rows] = places + 1
    return pa.array(["", *(SEPARATOR + text for text in texts)]).take(pa.array(found))
