"""The history: the predictions that were made, newest first, a page at a time."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from churn.database.schema import explained
from churn.database.tables import prediction_results
from churn.records.predictions import choose, read
from churn.schemas.logged_prediction import LoggedPrediction

LIMIT, MAX_LIMIT = 50, 200  # predictions on a page


@dataclass(frozen=True, slots=True)
class Filters:
    """Which predictions are asked for; None means all.

    `before` is a prediction's id, and what is found is older; `since` is included, `until` is not.
    `employee_ids` are the forms in which one employee's id may be stored. `details` asks for the record
    and the contributions, too.
    """

    limit: int = LIMIT
    before: uuid.UUID | None = None
    user: str | None = None
    model: str | None = None
    prediction: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    employee_ids: tuple[str, ...] | None = None
    details: bool = False


def page(engine: Engine, filters: Filters) -> list[LoggedPrediction]:
    """Return predictions, newest first, at most `limit`.

    A prediction is as old as its id. One whose request somebody has torn out has no time and no caller.

    Raises:
        DatabaseError: the database does not answer, or not in time.
    """
    results = prediction_results.c
    chosen = choose(filters.since, filters.until, filters.employee_ids, filters.before)
    for column, value in (
        (results.caller_name, filters.user),
        (results.model, filters.model),
        (results.prediction, filters.prediction),
    ):
        if value is not None:
            chosen = chosen.where(column == value)
    with explained(engine), engine.connect() as connection:
        newest = chosen.order_by(results.id.desc()).limit(filters.limit)
        return read(connection, newest, details=filters.details)
