"""What a run warns of: the sentences of each row, as the API's, and how often each kind was met."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.core.language import Language, Pair
from churn.i18n import messages
from churn.i18n.numbers import number
from churn.ingest.cells import Mask
from churn.model.registry import ServedModel
from churn.model.vectorized import Cells

SEPARATOR = "; "  # between the sentences of one row


@dataclass(frozen=True, slots=True)
class WarningCount:
    """How many rows have a warning of one kind, of how many that could have it."""

    about: Pair  # with a place for the count
    rows: int
    of: int

    @property
    def is_most(self) -> bool:
        """Whether so many have it that the file, not its employees, must be the reason."""
        return self.rows * 2 > self.of

    @property
    def sentence(self) -> Pair:
        """What is warned of, and of how many rows."""
        french = f"{number(self.rows, 'fr')} sur {number(self.of, 'fr')}"
        return self.about[0].format(french), self.about[1].format(f"{self.rows:,} of {self.of:,}")

    def __str__(self) -> str:
        return self.sentence[1]


class Warnings:
    """The warnings of one run, in one language."""

    def __init__(self, model: ServedModel, language: Language) -> None:
        self._seen, self._dictionary = model.seen, model.dictionary
        self._language: Language = language
        self._warned: Counter[Pair] = Counter()
        self._of: Counter[Pair] = Counter()

    def of(self, cells: Cells, rows: int) -> Any:
        """Return each row's sentences, joined; an array of text, empty where there is nothing to warn of."""
        parts = [*self._out_of_range(cells), *self._implausible(cells)]
        if not parts:
            return pa.repeat("", rows)
        return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*parts, ""), len(SEPARATOR))

    def counts(self) -> list[WarningCount]:
        """Return what was met so far, the most frequent first."""
        return [WarningCount(about, rows, self._of[about]) for about, rows in self._warned.most_common()]

    def _out_of_range(self, cells: Cells) -> list[Any]:
        parts = []
        for name, (low, high) in self._seen.items():
            if name not in cells:
                continue
            field, numbers = self._dictionary.by_name[name], cells[name]
            outside = (numbers < low) | (numbers > high)
            about = (
                f"{field.label('fr')} : {{}} sont hors de ce que le modèle a vu ({low:g} – {high:g})",
                f"{field.label('en')}: {{}} lie outside what the model has seen ({low:g} – {high:g})",
            )
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
        for smaller, larger, margin in self._dictionary.implausible:
            if smaller not in cells or larger not in cells:
                continue
            low, high = cells[smaller], cells[larger]
            odd = low + margin > high
            pair = self._dictionary.by_name[smaller], self._dictionary.by_name[larger]
            about = (
                f"{pair[0].label('fr')} avec {pair[1].label('fr')} : {{}} sont peu plausibles",
                f"{pair[0].label('en')} with {pair[1].label('en')}: {{}} are implausible",
            )
            if self._count(about, odd, ~np.isnan(low + high)):
                text = messages.implausible(*pair, self._language)
                parts.append(_placed([text], np.zeros(np.count_nonzero(odd), dtype=np.int64), odd))
        return parts

    def _count(self, about: Pair, warned: Mask, known: Mask) -> int:
        count = int(np.count_nonzero(warned))
        self._of[about] += int(np.count_nonzero(known))
        if count:
            self._warned[about] += count
        return count


def _placed(texts: list[str], places: NDArray[np.int64], rows: Mask) -> Any:
    """Return a text, after a separator, for each of the rows that have one, and nothing for the others."""
    positions = np.zeros(len(rows), dtype=np.int64)
    positions[rows] = places + 1
    return pa.array(["", *(SEPARATOR + text for text in texts)]).take(pa.array(positions))
