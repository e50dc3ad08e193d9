"""Privacy: what the journal knows of one person, its erasure, and the removal of old rows.

Erasing removes values and salts and leaves the rows: the chain of digests stays as it is, and a digest says
nothing without its salt. Each erasure is logged in its own transaction, without the person's id: a log that
named the person would not have erased them. All functions raise DatabaseError where the database does not
answer.
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
from churn.database.tables import outcomes as outcomes_table
from churn.database.tables import reviews as reviews_table
from churn.journal.operator_actions import ERASE, PURGE, record_action
from churn.records import outcomes, reviews
from churn.records.predictions import logged
from churn.schemas.logged_prediction import LoggedPrediction

CHUNK = 2000  # requests or batches removed in one transaction
BATCH_ROUTE = "/predict_batch"  # its answer is a list, in the order of its inputs

PurgeProgress = Callable[[int], None]  # requests removed since the last call


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each kind were erased, and whether SQLite's log still has them."""

    predictions: int
    answers: int
    reviews: int
    outcomes: int
    in_log: bool


def everything_about(engine: Engine, employee_ids: Sequence[str]) -> Iterator[tuple[LoggedPrediction, Any]]:
    """Yield every prediction about a person, the oldest first, with the part of its answer about them."""
    for prediction in logged(engine, employee_ids=employee_ids):
        query = select(api_responses.c.body).where(api_responses.c.request_id == prediction.request_id)
        with explained(engine), engine.connect() as connection:
            body = connection.execute(query).scalar()
        if prediction.route == BATCH_ROUTE:  # only their element of the list
            position = prediction.position
            body = body[position] if isinstance(body, list) and position is not None else None
        yield prediction, body


def count_about(engine: Engine, employee_ids: Sequence[str]) -> int:
    """Return how many predictions there are about a person."""
    query = select(func.count()).where(employee_inputs.c.employee_id.in_(employee_ids))
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).scalar_one()


def erase(engine: Engine, employee_ids: Sequence[str]) -> Erased:
    """Erase every value about a person, and log that, in one transaction."""
    query = select(
        employee_inputs.c.id, employee_inputs.c.request_id, employee_inputs.c.position, requests.c.route
    ).join(requests, requests.c.id == employee_inputs.c.request_id)
    with explained(engine), engine.connect() as connection:
        inputs = connection.execute(query.where(employee_inputs.c.employee_id.in_(employee_ids))).all()
        reviewed = reviews.to_empty(connection, employee_inputs.c.employee_id.in_(employee_ids))
        known = outcomes.to_empty(connection, employee_ids)
    keys = [row.id for row in inputs]
    answers: dict[uuid.UUID, list[int]] = {}
    for row in inputs:
        answers.setdefault(row.request_id, []).append(row.position if row.route == BATCH_ROUTE else -1)

    def erase_values(connection: Connection) -> None:
        for table, columns in _PERSONAL:
            for chunk in _chunks(keys):
                values = {name: null() for name in columns}
                connection.execute(update(table).where(table.c.id.in_(chunk)).values(values))
        for request, positions in answers.items():
            _redact(connection, request, positions)
        reviews.empty(connection, reviewed)
        outcomes.empty(connection, known)

    erased = {"predictions": keys, "responses": list(answers), "reviews": reviewed, "outcomes": known}
    detail = {name: [str(key) for key in of_them] for name, of_them in erased.items()}
    record_action(engine, ERASE, detail, erase_values)
    with explained(engine):
        return Erased(len(keys), len(answers), len(reviewed), len(known), in_log=not truncate_log(engine))


_PERSONAL: Sequence[tuple[Table, Sequence[str]]] = (
    (employee_inputs, ("employee_id", "record", "salt")),
    (features, ("values", "contributions")),
    (prediction_results, ("prediction", "probability")),
)


def _redact(connection: Connection, request: uuid.UUID, positions: Sequence[int]) -> None:
    """Remove a person from an answer; the others in a batch stay."""
    own = api_responses.c.request_id == request
    body: Any = None
    if -1 not in positions:
        body = connection.execute(select(api_responses.c.body).where(own)).scalar()
        if isinstance(body, list):
            body = [None if index in positions else answer for index, answer in enumerate(body)]
    connection.execute(
        update(api_responses).where(own).values(body=null() if body is None else body, salt=null())
    )


def _chunks(keys: Sequence[uuid.UUID]) -> Iterator[Sequence[uuid.UUID]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def count_before(engine: Engine, before: datetime) -> int:
    """Return how many requests are older than a moment."""
    query = select(func.count()).select_from(requests).where(requests.c.id < bound(before))
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).scalar_one()


def purge(engine: Engine, before: datetime, progress: PurgeProgress = lambda _: None) -> bool:
    """Log the purge, then remove every request that is older than a moment, with its rows.

    Whole months go at once where they have partitions, the rest in transactions of CHUNK requests. Newer
    reviews of what goes, and outcomes of people of whom nothing stays, are emptied first. Returns whether
    SQLite's log still has them.

    Raises:
        DatabaseError: also where it was interrupted. No request is half removed then, and the next purge
        continues.
    """
    with explained(engine), engine.connect() as connection:
        reviewed = reviews.to_empty(connection, employee_inputs.c.request_id < bound(before))
        known = outcomes.to_empty_before(connection, bound(before))

    def empty(connection: Connection) -> None:
        reviews.empty(connection, reviewed)
        outcomes.empty(connection, known)

    later = {"reviews": reviewed, "outcomes": known}
    detail = {name: [str(key) for key in keys] for name, keys in later.items()}
    record_action(engine, PURGE, {"before": before.isoformat(), **detail}, empty)
    partitions.drop_before(engine, before)
    _remove_before(engine, requests, before, _remove_requests, progress)
    # A batch is newer than the requests that it sealed: those are gone.
    _remove_before(engine, journal_batches, before, _remove_batches, lambda _: None)
    with explained(engine):
        return not truncate_log(engine)


def _remove_before(
    engine: Engine,
    table: Table,
    before: datetime,
    remove: Callable[[Connection, Sequence[uuid.UUID]], None],
    progress: PurgeProgress,
) -> None:
    key = table.c.id
    oldest = select(key).where(key < bound(before)).order_by(key).limit(CHUNK)
    while True:
        with explained(engine), engine.begin() as connection:
            keys = connection.execute(oldest).scalars().all()
            remove(connection, keys)
        progress(len(keys))
        if len(keys) < CHUNK:
            return


def _remove_requests(connection: Connection, keys: Sequence[uuid.UUID]) -> None:
    inputs = select(employee_inputs.c.id).where(employee_inputs.c.request_id.in_(keys))
    for chunk in _chunks(connection.execute(inputs).scalars().all()):
        for table in (features, prediction_results, employee_inputs):
            connection.execute(delete(table).where(table.c.id.in_(chunk)))
    for table in (api_responses, reviews_table, outcomes_table):
        connection.execute(delete(table).where(table.c.request_id.in_(keys)))
    connection.execute(delete(requests).where(requests.c.id.in_(keys)))


def _remove_batches(connection: Connection, keys: Sequence[uuid.UUID]) -> None:
    connection.execute(delete(journal_batches).where(journal_batches.c.id.in_(keys)))
