"""Golden rows: made-up employees with what scikit-learn answers for each, kept with every model.

Nobody's record is in them, so a model may travel, and outlive the erasure of those it learned from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.pipeline import contributions, frame
from churn.schemas.normalization import Normalizer


def golden_rows(
    pipeline: Pipeline,
    fields: Sequence[Field],
    dictionary: Dictionary,
    typical: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return records of these fields, each with its probability and contributions by the pipeline.

    The records are the API's example, the ends of every range, and `typical` ones that somebody has made up.
    """
    example, _ = Normalizer(dictionary).canonical(dict(dictionary.example))
    ends = [{field.name: end(field) for field in fields} for end in (_least, _largest)]
    records = [
        {field.name: record.get(field.name) for field in fields} for record in (example, *ends, *typical)
    ]
    table = frame(records, fields)
    _, parts = contributions(pipeline, table)
    probabilities = pipeline.predict_proba(table)[:, 1].tolist()
    return [
        {"record": record, "probability": probability, "contributions": dict(zip(parts, row, strict=True))}
        for record, probability, row in zip(records, probabilities, parts.to_numpy().tolist(), strict=True)
    ]


def _least(field: Field) -> object:
    return field.minimum if field.numeric else field.categories[0]


def _largest(field: Field) -> object:
    return (field.maximum or 1e6) if field.numeric else field.categories[-1]
