"""The reasons of many rows: which fields weigh the most, and the sentences that say so."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.core.language import Language
from churn.dictionary.field import Field
from churn.i18n import messages
from churn.ingest.cells import Mask
from churn.model.vectorized import Cells, Floats

MOST = 3
MOST_CACHED = 100_000  # sentences: a salary may be anything, and memory is not to grow with the rows

# The lowest bits of a contribution's size hold its part's place: the largest number then tells which.
_PLACES = (1 << 5) - 1
_NONE = -1


@dataclass(frozen=True)
class _Part:
    """What may be a reason of each row: a field, or the protected ones in sum, which are not named."""

    field: Field | None
    values: NDArray[Any]
    known: Mask
    effects: Floats


class Reasons:
    """The sentences of one run, in one language; each is made once.

    `fields` are those of the model. Of those that are `paired`, the same value may raise one person's risk
    and lower another's.
    """

    def __init__(self, fields: Sequence[Field], language: Language, paired: Collection[str] = ()) -> None:
        self._fields = fields
        self._paired = paired
        self._language = language
        self._made: dict[tuple[str | None, object, int], str] = {}

    def of(self, cells: Cells, contributions: Floats) -> list[Any]:
        """Return the sentences of each row's largest reasons: dictionary arrays of text, one for each rank.

        The order is that of the API: by size, then by field. A row with fewer known fields has
        nulls. `contributions` are (fields, rows).
        """
        parts = _parts(self._fields, cells, contributions)
        count = contributions.shape[1]
        top = _largest(parts, count).ravel()
        places = np.full(len(top), _NONE, dtype=np.int32)
        sentences: list[str] = []
        for number, part in enumerate(parts):
            for chosen in self._alike(part, np.flatnonzero(top == number), count):
                rows = chosen % count
                distinct = pa.array(part.values[rows]).dictionary_encode()
                codes, values = distinct.indices.to_numpy(), distinct.dictionary
                # What a sentence says depends on the value alone: any row that holds it will do.
                effects = np.empty(len(values))
                effects[codes] = part.effects[rows]
                places[chosen] = codes + len(sentences)
                pairs = zip(values.to_pylist(), effects.tolist(), strict=True)
                sentences += [self._sentence(part.field, value, effect) for value, effect in pairs]
        dictionary = pa.array(sentences, pa.string())
        return [
            pa.DictionaryArray.from_arrays(pa.array(rank, mask=rank == _NONE), dictionary)
            for rank in places.reshape(MOST, count)
        ]

    def _alike(self, part: _Part, chosen: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
        """Return the chosen rows in groups within which a value always raises or always lowers the risk."""
        if part.field is None or part.field.name not in self._paired:
            return [chosen]
        signs = np.sign(part.effects[chosen % count])
        return [chosen[signs == sign] for sign in (-1, 0, 1)]

    def _sentence(self, field: Field | None, value: Any, effect: float) -> str:
        key = (field.name if field else None, value, (effect > 0) - (effect < 0))
        sentence = self._made.get(key)
        if sentence is None:
            if len(self._made) >= MOST_CACHED:
                self._made.clear()
            shown = field.categories[value] if field and field.categories else value
            sentence = messages.reason(field, shown, effect, self._language)
            self._made[key] = sentence
        return sentence


def _parts(fields: Sequence[Field], cells: Cells, contributions: Floats) -> list[_Part]:
    """Return what may be a reason, in the order of the fields; the sum of the protected ones is the last."""
    parts = []
    hidden = np.zeros(contributions.shape[1])
    some_hidden = np.zeros(len(hidden), dtype=bool)
    for field, effects in zip(fields, contributions, strict=True):
        if field.name not in cells:
            continue
        values = cells[field.name]
        known = ~np.isnan(values) if field.numeric else values >= 0
        if field.role == "protected":
            hidden += effects
            some_hidden |= known
        else:
            parts.append(_Part(field, values, known, effects))
    if some_hidden.any():
        parts.append(_Part(None, np.sign(hidden), some_hidden, hidden))
    return parts


def _largest(parts: Sequence[_Part], rows: int) -> NDArray[np.int8]:
    """Return the places of the known parts that contribute the most, (MOST, rows); -1 for none."""
    best = np.full((MOST, rows), _NONE, dtype=np.int64)
    for place, part in enumerate(parts):
        # The sizes of numbers without a sign order as the integers of the same bits.
        key = np.abs(part.effects).view(np.int64)
        key = (key & ~_PLACES) | (_PLACES - place)  # of two equal ones, the first
        key[~part.known] = _NONE
        for rank in range(MOST):
            smaller = np.minimum(best[rank], key)
            np.maximum(best[rank], key, out=best[rank])
            key = smaller
    return np.where(best < 0, _NONE, _PLACES - (best & _PLACES)).astype(np.int8)
