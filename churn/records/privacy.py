"""Privacy: what the journal knows of one person, its erasure, and the end of everything that is old.

Erasing takes values and salts away and leaves the rows: the chain of digests stays what it is, and the
digests of what was erased say nothing without their salts. Each act is logged in the transaction that does
it, without the person's id: a log of erasures that named whom it erased would not have erased them.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, null, select, update

from churn.database import partitions
from churn.database.embedded import truncate_log
from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import (
    api_responses,
    employee_inputs,
    features,
    journal_batches,
    prediction_results,
    requests,
)
from churn.journal.operator_actions import ERASE, PURGE, record_action
from churn.records.predictions import logged
from churn.schemas.logged_prediction import LoggedPrediction

CHUNK = 2000  # requests or batches removed in one transaction
BATCH_ROUTE = "/predict_batch"  # its answer is a list, in the order of its inputs

PurgeProgress = Callable[[int], None]  # requests removed since the last call


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased: predictions, and answers that told them; whether SQLite's log still has them."""

    predictions: int
    answers: int
    in_log: bool


def everything_about(engine: Engine, employee_ids: Sequence[str]) -> Iterator[tuple[LoggedPrediction, Any]]:
    """Yield every prediction about a person, the oldest first, and what its answer told about them.

    Raises:
        DatabaseError: the database does not answer.
    """
    for prediction in logged(engine, employee_ids=employee_ids):
        query = select(api_responses.c.body).where(api_responses.c.request_id == prediction.request_id)
        with explained(engine), engine.connect() as connection:
            body = connection.execute(query).scalar()
        if prediction.route == BATCH_ROUTE:  # of a batch, their element only
            position = prediction.position
            body = body[position] if isinstance(body, list) and position is not None else None
        yield prediction, body


def count_about(engine: Engine, employee_ids: Sequence[str]) -> int:
    """Return how many predictions there are about a person; raises DatabaseError as `everything_about`."""
    query = select(func.count()).where(employee_inputs.c.employee_id.in_(employee_ids))
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).scalar_one()


def erase(engine: Engine, employee_ids: Sequence[str]) -> Erased:
    """Take away every value about a person, and log that; all in one transaction.

    Raises:
        DatabaseError: it could not be done; nothing was.
    """
    query = select(
        employee_inputs.c.id, employee_inputs.c.request_id, employee_inputs.c.position, requests.c.route
    ).join(requests, requests.c.id == employee_inputs.c.request_id)
    with explained(engine), engine.connect() as connection:
        found = connection.execute(query.where(employee_inputs.c.employee_id.in_(employee_ids))).all()
    keys = [row.id for row in found]
    answers: dict[uuid.UUID, list[int]] = {}
    for row in found:
        answers.setdefault(row.request_id, []).append(row.position if row.route == BATCH_ROUTE else -1)

    def take_away(connection: Connection) -> None:
        for table, gone in _GONE:
            for part in _parts(keys):
                values = {name: null() for name in gone}
                connection.execute(update(table).where(table.c.id.in_(part)).values(values))
        for request, positions in answers.items():
            _redact(connection, request, positions)

    detail = {"predictions": [str(key) for key in keys], "responses": [str(key) for key in answers]}
    record_action(engine, ERASE, detail, take_away)
    with explained(engine):
        return Erased(len(keys), len(answers), in_log=not truncate_log(engine))


_GONE: Sequence[tuple[Table, Sequence[str]]] = (
    (employee_inputs, ("employee_id", "record", "salt")),
    (features, ("values", "contributions")),
    (prediction_results, ("prediction", "probability")),
)


def _redact(connection: Connection, request: uuid.UUID, positions: Sequence[int]) -> None:
    """Take a person out of an answer: out of a batch's, the others stay."""
    mine = api_responses.c.request_id == request
    body: Any = None
    if -1 not in positions:
        body = connection.execute(select(api_responses.c.body).where(mine)).scalar()
        if isinstance(body, list):
            body = [None if number in positions else one for number, one in enumerate(body)]
    connection.execute(
        update(api_responses).where(mine).values(body=null() if body is None else body, salt=null())
    )


def _parts(keys: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def count_before(engine: Engine, before: datetime) -> int:
    """Return how many requests are older than a moment; raises DatabaseError."""
    query = select(func.count()).select_from(requests).where(requests.c.id < bound(before))
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).scalar_one()


def purge(engine: Engine, before: datetime, progress: PurgeProgress = lambda _: None) -> bool:
    """Remove every request that is older than a moment, with its rows; log that first.

    Whole months go at once where they have partitions, the rest in transactions of CHUNK requests. Returns
    whether SQLite's log still has them.

    Raises:
        DatabaseError: it was interrupted; what is gone is gone whole, and running it again goes on.
    """
    record_action(engine, PURGE, {"before": before.isoformat()})
    partitions.drop_before(engine, before)
    limit = bound(before)
    oldest = select(requests.c.id).where(requests.c.id < limit).order_by(requests.c.id).limit(CHUNK)
    while True:
        with explained(engine), engine.begin() as connection:
            keys = connection.execute(oldest).scalars().all()
            _remove(connection, keys)
        progress(len(keys))
        if len(keys) < CHUNK:
            break
    _remove_batches(engine, limit)
    with explained(engine):
        return not truncate_log(engine)


def _remove(connection: Connection, keys: Sequence[uuid.UUID]) -> None:
    inputs = select(employee_inputs.c.id).where(employee_inputs.c.request_id.in_(keys))
    for part in _parts(connection.execute(inputs).scalars().all()):
        for table in (features, prediction_results, employee_inputs):
            connection.execute(delete(table).where(table.c.id.in_(part)))
    connection.execute(delete(api_responses).where(api_responses.c.request_id.in_(keys)))
    connection.execute(delete(requests).where(requests.c.id.in_(keys)))


def _remove_batches(engine: Engine, limit: uuid.UUID) -> None:
    """Remove the batches of before: what they sealed is gone, since a batch is newer than its requests."""
    links = journal_batches.c
    oldest = select(links.id).where(links.id < limit).order_by(links.id).limit(CHUNK)
    while True:
        with explained(engine), engine.begin() as connection:
            keys = connection.execute(oldest).scalars().all()
            connection.execute(delete(journal_batches).where(links.id.in_(keys)))
        if len(keys) < CHUNK:
            return
