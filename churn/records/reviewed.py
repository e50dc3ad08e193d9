"""Predictions that somebody has reviewed, each by its last review, and how many there are to be reviewed."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Text, cast, func, select

from churn.core.ids import moment_of
from churn.database.schema import explained
from churn.database.tables import employee_inputs, features, prediction_results, requests, reviews
from churn.records.predictions import choose, document_of

CHUNK = 2000

_RESULTS = prediction_results.c


@dataclass(frozen=True, slots=True)
class ReviewedPrediction:
    """A prediction, and whether its last reviewer disagrees; documents are None where they were erased."""

    id: uuid.UUID
    flagged: bool
    disagrees: bool
    reviewer: str | None
    record: dict[str, Any] | None
    values: dict[str, Any] | None
    contributions: dict[str, Any] | None

    @property
    def at(self) -> datetime:
        """When it was made."""
        return moment_of(self.id)


def reviewed(engine: Engine, model: str) -> Iterator[ReviewedPrediction]:
    """Yield the predictions of a model that were reviewed, the oldest first.

    Raises:
        DatabaseError: the database cannot be read.
    """
    query = (
        select(
            reviews.c.prediction_id,
            reviews.c.verdict,
            requests.c.caller_name,
            _RESULTS.prediction,
            cast(employee_inputs.c.record, Text).label("record"),
            cast(features.c["values"], Text).label("values_seen"),
            cast(features.c.contributions, Text).label("contributions"),
        )
        .join(prediction_results, _RESULTS.id == reviews.c.prediction_id)
        .outerjoin(requests, requests.c.id == reviews.c.request_id)
        .outerjoin(employee_inputs, employee_inputs.c.id == reviews.c.prediction_id)
        .outerjoin(features, features.c.id == reviews.c.prediction_id)
        .where(_RESULTS.model == model, _RESULTS.prediction.is_not(None), reviews.c.verdict.is_not(None))
        .order_by(reviews.c.prediction_id, reviews.c.request_id)
    )
    last = None
    with explained(engine), engine.connect() as connection:
        for row in connection.execution_options(yield_per=CHUNK).execute(query):
            if last is not None and last.prediction_id != row.prediction_id:
                yield _reviewed(last)
            last = row
    if last is not None:
        yield _reviewed(last)


def predictions_to_review(
    engine: Engine, since: datetime | None, until: datetime | None, *, model: str
) -> int:
    """Return how many predictions a model has made in a period; raises DatabaseError."""
    chosen = choose(since, until).where(_RESULTS.model == model, _RESULTS.prediction.is_not(None))
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()


def _reviewed(row: Any) -> ReviewedPrediction:
    return ReviewedPrediction(
        row.prediction_id,
        bool(row.prediction),
        row.verdict == "disagree",
        row.caller_name,
        document_of(row, "record"),
        document_of(row, "values_seen"),
        document_of(row, "contributions"),
    )
