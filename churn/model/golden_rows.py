"""Golden rows: made-up employees with what scikit-learn answers for each, kept with every model.

Nobody's record is in them, so a model may travel, and outlive the erasure of those it learned from.
"""

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from churn.dictionary import domain
from churn.dictionary.domain import Field
from churn.model.pipeline import contributions, frame
from churn.model.sample import make_employees
from churn.schemas.employee import EXAMPLE

ROWS, SEED = 20, 7


def golden_rows(pipeline: Pipeline, fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Return records of these fields, each with its probability and contributions by the pipeline."""
    records = [{f.name: record.get(f.name) for f in fields} for record in _records()]
    table = frame(records, fields)
    _, parts = contributions(pipeline, table)
    probabilities = pipeline.predict_proba(table)[:, 1].tolist()
    return [
        {"record": record, "probability": probability, "contributions": dict(zip(parts, row, strict=True))}
        for record, probability, row in zip(records, probabilities, parts.to_numpy().tolist(), strict=True)
    ]


def _records() -> list[dict[str, Any]]:
    """Return typical employees, the API's example, and the ends of every range."""
    ends = [{f.name: pick(f) for f in domain.INPUTS if f.kind != "identifier"} for pick in (_least, _largest)]
    typical = [
        {str(name): value for name, value in row.items()}
        for row in make_employees(ROWS, seed=SEED).to_dict("records")
    ]
    return [dict(EXAMPLE), *ends, *typical]


def _least(field: Field) -> object:
    return field.minimum if field.numeric else field.categories[0]


def _largest(field: Field) -> object:
    return (field.maximum or 1e6) if field.numeric else field.categories[-1]
