"""Logged predictions, read back: pages, streams and one person's, all by the same reader.

A stream of millions takes no more memory than one of a thousand.
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
from churn.records.reviews import reviews_of
from churn.schemas.bands import risk_band
from churn.schemas.caller import Who
from churn.schemas.logged_prediction import LoggedPrediction
from churn.schemas.review import LoggedReview

PAGE_ROWS = 1000

_EPOCH = datetime.fromtimestamp(0, UTC)  # no key is older
_RESULTS, _INPUTS = prediction_results.c, employee_inputs.c


def choose(
    since: datetime | None = None,
    until: datetime | None = None,
    employee_ids: Sequence[str] | None = None,
    before: uuid.UUID | None = None,
) -> Select[Any]:
    """Return the query for the results from `since` on, before `until` and before an id; None means all.

    `employee_ids` are the forms in which one employee's id may be stored. A person is found by the inputs'
    index, everything else by those of the results. Both tables get the range of keys, since PostgreSQL infers
    equalities across a join but no inequalities.
    """
    query = select(prediction_results).where(*_in_range(_RESULTS.id, since, until, before))
    if employee_ids is None:
        return query
    own = _INPUTS.employee_id.in_(employee_ids), *_in_range(_INPUTS.id, since, until, before)
    return query.join(employee_inputs, _INPUTS.id == _RESULTS.id).where(*own)


def _in_range(
    key: ColumnElement[uuid.UUID],
    since: datetime | None,
    until: datetime | None,
    before: uuid.UUID | None,
) -> list[ColumnElement[bool]]:
    """Return the conditions on a key. It holds the time, so that no other column has to be read."""
    conditions = [] if since is None else [key >= bound(max(since, _EPOCH))]
    conditions += [] if until is None else [key < bound(max(until, _EPOCH))]
    conditions += [] if before is None else [key < before]
    return conditions


def read(
    connection: Connection, chosen: Select[Any], *, details: bool = True, reviewed: bool = True
) -> list[LoggedPrediction]:
    """Return the predictions of a query of results, in its order, with the rows that belong to them.

    Without `details` they have no documents, no features and no response, and reviews only if `reviewed`.
    """
    results = connection.execute(chosen).all()
    keys, calls = [row.id for row in results], {row.request_id for row in results}
    features_of = rows_by_key(connection, _FEATURES, keys) if details else {}
    response_of = rows_by_key(connection, _RESPONSES, calls) if details else {}
    request_of = rows_by_key(connection, _REQUESTS, calls)
    reviews = reviews_of(connection, keys) if reviewed else {}
    # Read last, so that a prediction that is erased meanwhile is there as a whole or not at all.
    input_of = rows_by_key(connection, _INPUTS_WITH_RECORD if details else _PLAIN_INPUTS, keys)
    return [
        _logged(
            row,
            input_of.get(row.id),
            features_of.get(row.id),
            request_of.get(row.request_id),
            response_of.get(row.request_id),
            reviews.get(row.id, []),
        )
        for row in results
    ]


def logged(
    engine: Engine,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    *,
    employee_ids: Sequence[str] | None = None,
    model: str | None = None,
    newest_first: bool = False,
) -> Iterator[LoggedPrediction]:
    """Yield up to `limit` predictions from `since` on and before `until`, by time; all models' or one's.

    No connection is held while the caller works on a page of them.

    Raises:
        DatabaseError: the database cannot be read.
    """
    order = _RESULTS.id.desc() if newest_first else _RESULTS.id
    chosen = choose(since, until, employee_ids).order_by(order)
    chosen = following = chosen if model is None else chosen.where(_RESULTS.model == model)
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
    """Return how many predictions `logged` would yield now; raises DatabaseError as it does."""
    chosen = choose(since, until).limit(limit).subquery()
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(chosen)).scalar_one()


def models_in(engine: Engine, since: datetime | None = None, until: datetime | None = None) -> list[str]:
    """Return the tags of the models that predicted in a period; raises DatabaseError as `logged`.

    One look into the index a model, whatever the number of predictions.
    """
    found, after = list[str](), ""
    with explained(engine), engine.connect() as connection:
        following = select(func.min(_RESULTS.model))
        while (model := connection.execute(following.where(_RESULTS.model > after)).scalar()) is not None:
            own = choose(since, until).where(_RESULTS.model == model).limit(1)
            found += [model] if connection.execute(own).first() else []
            after = model
    return found


# The first column of each is its key.
_PLAIN_INPUTS = select(
    _INPUTS.id, _INPUTS.employee_id, _INPUTS.position, _INPUTS.record.is_(None).label("erased")
)
# Documents as text: if somebody broke one, only its own row cannot be read.
_INPUTS_WITH_RECORD = _PLAIN_INPUTS.add_columns(cast(_INPUTS.record, Text).label("record"))
_FEATURES = select(
    features.c.id,
    features.c.base_value,
    cast(features.c["values"], Text).label("values_seen"),
    cast(features.c.contributions, Text).label("contributions"),
)
_REQUESTS = select(
    *(
        requests.c[name]
        for name in ("id", "received_at", "method", "route", "caller_kind", "caller_id", "caller_name")
    )
)
_RESPONSES = select(api_responses.c.request_id, api_responses.c.status, api_responses.c.duration_ms)


def rows_by_key(
    connection: Connection, query: Select[Any], keys: Iterable[uuid.UUID]
) -> dict[uuid.UUID, Row[Any]]:
    """Return one table's rows by their keys.

    One query per table, with the keys in it: PostgreSQL then plans for the few partitions that have them. In
    one query of all tables it would read each of them from the beginning.
    """
    if not keys:
        return {}
    key = query.selected_columns[0]
    return {row[0]: row for row in connection.execute(query.where(key.in_(keys)))}


def _logged(
    result: Row[Any],
    input_row: Row[Any] | None,
    features_row: Row[Any] | None,
    request: Row[Any] | None,
    response: Row[Any] | None,
    reviewed: list[LoggedReview],
) -> LoggedPrediction:
    erased = input_row is not None and input_row.erased
    # None also where it was erased after the result was read.
    probability = None if erased else result.probability
    return LoggedPrediction(
        prediction_id=result.id,
        request_id=result.request_id,
        at=request and request.received_at,
        caller=Who(request and request.caller_kind, request and request.caller_name),
        route=request and request.route,
        model=result.model,
        employee_id=input_row and input_row.employee_id,
        prediction=None if erased else result.prediction,
        probability=probability,
        threshold=result.threshold,
        band=None if probability is None else risk_band(probability, result.threshold),
        erased=erased,
        record=document_of(input_row, "record"),
        contributions=None if erased else document_of(features_row, "contributions"),
        base_value=features_row and features_row.base_value,
        values=None if erased else document_of(features_row, "values_seen"),
        reviews=[] if erased else reviewed,
        position=input_row and input_row.position,
        method=request and request.method,
        status=response and response.status,
        duration_ms=response and response.duration_ms,
        caller_id=request and request.caller_id,
    )


def document_of(row: Row[Any] | None, column: str) -> dict[str, Any] | None:
    """Return a document of a row; None where it is missing or invalid."""
    try:
        document = orjson.loads(row._mapping.get(column) or "null") if row else None
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None
