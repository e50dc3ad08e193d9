"""Valid employees in any combination, for property-based tests."""

from typing import Any

from hypothesis import strategies as st

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Return values of a field, within the range of the training data and a little beyond."""
    if field.categories:
        return st.sampled_from(field.categories)
    if field.name == "revenu_mensuel":
        return st.floats(500, 22_000).map(lambda euros: round(euros, 2))
    # From 2: a pay rise of 1 or less is read as a fraction.
    low, high = 2 if field.kind == "percent" else int(field.minimum or 0), int(field.maximum or 45)
    return st.integers(low, high) if field.kind == "integer" else st.integers(low, high).map(float)


RECORDS = st.fixed_dictionaries(
    {field.name: values_of(field) for field in TECHNOVA.core},
    optional={
        f.name: values_of(f) | st.none() for f in TECHNOVA.inputs if f.role in ("optional", "protected")
    },
)
CHANGES = st.fixed_dictionaries(
    {}, optional={f.name: values_of(f) for f in TECHNOVA.inputs if f is not TECHNOVA.identifier}
)
