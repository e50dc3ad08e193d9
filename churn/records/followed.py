"""Predictions about employees of whom it is known what has become of them, in the order of the employees."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Engine, func, select

from churn.core.ids import moment_of
from churn.database.schema import explained
from churn.database.tables import employee_inputs, outcomes, prediction_results, requests
from churn.records.prediction_sample import WHAT_IFS

CHUNK = 2000

_INPUTS, _RESULTS = employee_inputs.c, prediction_results.c


@dataclass(frozen=True, slots=True)
class FollowedPrediction:
    """A prediction as outcomes are held against it."""

    id: uuid.UUID
    employee_id: str
    day: date
    probability: float
    flagged: bool
    record: dict[str, Any]


def followed(engine: Engine, models: Collection[str]) -> Iterator[FollowedPrediction]:
    """Yield some models' predictions about employees with an outcome, each employee's the oldest first.

    Raises:
        DatabaseError: the database cannot be read.
    """
    columns = _INPUTS.employee_id, _INPUTS.id, _INPUTS.record, _INPUTS.position, requests.c.route
    known = select(outcomes.c.employee_id).where(outcomes.c.salt.is_not(None))
    query = (
        select(*columns, _RESULTS.probability, _RESULTS.prediction)
        .join(prediction_results, _RESULTS.id == _INPUTS.id)
        .join(requests, requests.c.id == _INPUTS.request_id)
        .where(_RESULTS.model.in_(models), _RESULTS.probability.is_not(None), _INPUTS.employee_id.in_(known))
        .order_by(_INPUTS.employee_id, _INPUTS.id)
    )
    with explained(engine), engine.connect() as connection:
        for row in connection.execution_options(yield_per=CHUNK).execute(query):
            if row.position and row.route in WHAT_IFS:  # nobody: somebody after some changes
                continue
            yield FollowedPrediction(
                row.id,
                row.employee_id,
                _day(row.id),
                row.probability,
                bool(row.prediction),
                row.record or {},
            )


def employees_of(engine: Engine, model: str) -> int:
    """Return about how many employees a model has predicted; raises DatabaseError."""
    query = (
        select(func.count(func.distinct(_INPUTS.employee_id)))
        .join(prediction_results, _RESULTS.id == _INPUTS.id)
        .where(_RESULTS.model == model)
    )
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).scalar_one()


def _day(key: uuid.UUID) -> date:
    return moment_of(key).date()
