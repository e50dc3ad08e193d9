"""Parsed columns as a data frame, which is what training learns from. Serving does without pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.ingest.cells import Values


def data_frame(columns: Mapping[str, Any], dictionary: Dictionary) -> pd.DataFrame:
    """Return columns of parsed values side by side: categories as categorical, in their field's order."""
    by_name = {name: _column(dictionary, name, values) for name, values in columns.items()}
    return pd.DataFrame(by_name, copy=False)


def _column(dictionary: Dictionary, name: str, values: Values) -> Any:
    field = dictionary.by_name[name]
    if field.kind != "category":
        return values
    return pd.Categorical.from_codes(values, dtype=pd.CategoricalDtype(list(field.categories)))


def labelled_frame(
    employee_ids: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    left: Sequence[bool],
    dictionary: Dictionary,
) -> pd.DataFrame:
    """Return logged records with the target, as files of employees are read."""
    target = dictionary.target
    stayed = next(category for category in target.categories if category != dictionary.left)
    columns: dict[str, Any] = {
        field.name: _values(field, [record.get(field.name) for record in records])
        for field in (*dictionary.features, *dictionary.protected)
    }
    frame = data_frame(columns, dictionary)
    frame[target.name] = pd.Categorical(np.where(left, dictionary.left, stayed), list(target.categories))
    frame[dictionary.identifier.name] = pd.array(list(employee_ids), dtype="str")
    return frame


def _values(field: Field, values: Sequence[object]) -> Values:
    """Return the values of one field; what is unknown, or not the field's, is NaN or -1."""
    if field.numeric:
        return np.array([value if isinstance(value, int | float) else np.nan for value in values], np.float64)
    places: dict[object, int] = {category: place for place, category in enumerate(field.categories)}
    return np.array([places.get(value, -1) for value in values], np.int8)
