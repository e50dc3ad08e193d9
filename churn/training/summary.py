"""What the training data looked like, field by field: counts and quartiles, nobody's record."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field

BINS = 10


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """One field of the training data.

    Of a number: `quartiles` (least, three quartiles, largest) and the `counts` between `edges`; of a
    category: the `counts` of `categories`. `unknown` counts the rows without a value.
    """

    name: str
    unknown: int
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    quartiles: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()


def summarise(employees: pd.DataFrame, dictionary: Dictionary) -> tuple[FieldSummary, ...]:
    """Return a summary of every field but the identifier, the protected ones and the target included."""
    described = [field for field in dictionary.fields if field is not dictionary.identifier]
    return tuple(_summarise(field, employees[field.name]) for field in described)


def _summarise(field: Field, values: pd.Series) -> FieldSummary:
    known = values.dropna()
    unknown = len(values) - len(known)
    if not field.numeric:
        counts = known.value_counts()
        by_category = tuple(int(counts.get(category, 0)) for category in field.categories)
        return FieldSummary(field.name, unknown, by_category, categories=field.categories)
    numbers = known.to_numpy(dtype=float)
    if not len(numbers):
        return FieldSummary(field.name, unknown, ())
    heights, edges = np.histogram(numbers, BINS)
    quartiles = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1])
    return FieldSummary(
        field.name, unknown, tuple(heights.tolist()), tuple(edges.tolist()), tuple(quartiles.tolist())
    )
