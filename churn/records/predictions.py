"""Logged predictions, read back: pages, streams and people's own choose which, one join reads them.

A stream takes as little memory for millions.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Text, cast, func, select

from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import api_responses, employee_inputs, features, prediction_results, requests
from churn.schemas.bands import risk_band
from churn.schemas.logged_prediction import LoggedPrediction, Who

PAGE_ROWS = 1000

_EPOCH = datetime.fromtimestamp(0, UTC)  # no key is older
_RESULTS, _INPUTS = prediction_results.c, employee_inputs.c


def choose(
    since: datetime | None = None,
    until: datetime | None = None,
    employee_ids: Sequence[str] | None = None,
    before: uuid.UUID | None = None,
) -> Select[Any]:
    """Return the query for the results from `since` on and before `until`, and before an id; None means all.

    `employee_ids` are the forms in which one employee's id may be stored. A person is found by the inputs,
    all else by the results' own indexes. The range of keys is told to both tables: PostgreSQL hands
    equalities on from one to the other, and no inequalities.
    """
    query = select(prediction_results).where(*_in_range(_RESULTS.id, since, until, before))
    if employee_ids is None:
        return query
    mine = _INPUTS.employee_id.in_(employee_ids), *_in_range(_INPUTS.id, since, until, before)
    return query.join(employee_inputs, _INPUTS.id == _RESULTS.id).where(*mine)


def _in_range(
    key: ColumnElement[uuid.UUID],
    since: datetime | None,
    until: datetime | None,
    before: uuid.UUID | None,
) -> list[ColumnElement[bool]]:
    """Return what a key has to fulfil: times are told by it, so that no other column is looked at."""
    least = [] if since is None else [bound(max(since, _EPOCH))]
    most = [] if until is None else [bound(max(until, _EPOCH))]
    most += [] if before is None else [before]
    return [*(key >= limit for limit in least), *(key < limit for limit in most)]


def read(connection: Connection, chosen: Select[Any], *, details: bool = True) -> list[LoggedPrediction]:
    """Return the predictions that a query of results chooses, in its order, with what belongs to them.

    Without `details` there are no documents, and nothing of the model's view or of the answer.
    """
    results = connection.execute(chosen).all()
    keys, calls = [row.id for row in results], {row.request_id for row in results}
    seen = _rows(connection, _FEATURES, keys) if details else {}
    sent = _rows(connection, _ANSWERS, calls) if details else {}
    made = _rows(connection, _CALLS, calls)
    # Last: what is erased while this reads is either there whole or not at all.
    given = _rows(connection, _RECORDS if details else _PERSONS, keys)
    return [
        _logged(row, given.get(row.id), seen.get(row.id), made.get(row.request_id), sent.get(row.request_id))
        for row in results
    ]


def logged(
    engine: Engine,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    *,
    employee_ids: Sequence[str] | None = None,
    newest_first: bool = False,
) -> Iterator[LoggedPrediction]:
    """Yield what was predicted from `since` on and before `until`, by time; at most `limit` of it.

    No connection is held while the caller works on a page of it.

    Raises:
        DatabaseError: the database cannot be read.
    """
    order = _RESULTS.id.desc() if newest_first else _RESULTS.id
    chosen = following = choose(since, until, employee_ids).order_by(order)
    left = limit
    while left is None or left > 0:
        size = PAGE_ROWS if left is None else min(PAGE_ROWS, left)
        with explained(engine), engine.connect() as connection:
            page = read(connection, following.limit(size))
        yield from page
        if len(page) < size:
            return
        last = page[-1].prediction_id
        following = chosen.where(_RESULTS.id < last if newest_first else _RESULTS.id > last)
        left = None if left is None else left - size


def count(
    engine: Engine, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
) -> int:
    """Return how many predictions `logged` finds by now; raises DatabaseError as it does."""
    found = choose(since, until).limit(limit).subquery()
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(found)).scalar_one()


# Each begins with its key.
_PERSONS = select(_INPUTS.id, _INPUTS.employee_id, _INPUTS.position, _INPUTS.record.is_(None).label("erased"))
# Documents as text: one that somebody broke ends its own row's reading only.
_RECORDS = _PERSONS.add_columns(cast(_INPUTS.record, Text).label("record"))
_FEATURES = select(
    features.c.id,
    features.c.base_value,
    cast(features.c["values"], Text).label("seen"),
    cast(features.c.contributions, Text).label("contributions"),
)
_CALLS = select(
    *(requests.c[name] for name in ("id", "received_at", "method", "route", "caller_kind", "caller_name"))
)
_ANSWERS = select(api_responses.c.request_id, api_responses.c.status, api_responses.c.duration_ms)


def _rows(connection: Connection, query: Select[Any], keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Row[Any]]:
    """Return one table's rows by their keys.

    Each table is asked by itself and told its keys: PostgreSQL then plans for the few partitions that have
    them. With all tables in one query it reads each from its beginning, page by page.
    """
    if not keys:
        return {}
    key = query.selected_columns[0]
    return {row[0]: row for row in connection.execute(query.where(key.in_(keys)))}


def _logged(
    result: Row[Any],
    given: Row[Any] | None,
    seen: Row[Any] | None,
    call: Row[Any] | None,
    answer: Row[Any] | None,
) -> LoggedPrediction:
    erased = given is not None and given.erased
    # Also of one that was erased since the result was read.
    probability = None if erased else result.probability
    return LoggedPrediction(
        prediction_id=result.id,
        request_id=result.request_id,
        at=call and call.received_at,
        caller=Who(call and call.caller_kind, call and call.caller_name),
        route=call and call.route,
        model=result.model,
        employee_id=given and given.employee_id,
        prediction=None if erased else result.prediction,
        probability=probability,
        threshold=result.threshold,
        band=None if probability is None else risk_band(probability, result.threshold),
        erased=erased,
        record=_document(given, "record"),
        contributions=None if erased else _document(seen, "contributions"),
        base_value=seen and seen.base_value,
        values=None if erased else _document(seen, "seen"),
        position=given and given.position,
        method=call and call.method,
        status=answer and answer.status,
        duration_ms=answer and answer.duration_ms,
    )


def _document(row: Row[Any] | None, column: str) -> dict[str, Any] | None:
    """Return a document of a row; None where it is missing or none."""
    try:
        document = orjson.loads(row._mapping.get(column) or "null") if row else None
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None
