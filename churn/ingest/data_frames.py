"""Parsed columns as a data frame, which is what training learns from. Serving does without pandas."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from churn.dictionary.dictionary import Dictionary
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
