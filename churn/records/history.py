"""The history: the predictions that were made, newest first, a page at a time."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, select

from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import employee_inputs, features, prediction_results, requests
from churn.dictionary import domain

LIMIT, MAX_LIMIT = 50, 200  # predictions on a page

_EPOCH = datetime.fromtimestamp(0, UTC)  # no key is older
_RESULTS, _INPUTS = prediction_results.c, employee_inputs.c


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


def page(engine: Engine, filters: Filters) -> list[dict[str, Any]]:
    """Return predictions as the API tells them, newest first, at most `limit`.

    A prediction is as old as its id. One whose request somebody has torn out has no time and no caller.

    Raises:
        DatabaseError: the database does not answer, or not in time.
    """
    with explained(engine), engine.connect() as connection:
        found = connection.execute(_found(filters)).all()
        rows = connection.execute(_whole(found, details=filters.details)) if found else ()
        return [_told(row, details=filters.details) for row in rows]


def _found(filters: Filters) -> Select[Any]:
    """Return the keys of the page's results and of their requests.

    An employee is found by the inputs, all else by the results' own indexes. The range of keys is said of
    both: PostgreSQL hands equalities on from one table to the other, and no inequalities.
    """
    query = select(_RESULTS.id, _RESULTS.request_id).where(*_in_range(_RESULTS.id, filters))
    for column, value in (
        (_RESULTS.caller_name, filters.user),
        (_RESULTS.model, filters.model),
        (_RESULTS.prediction, filters.prediction),
    ):
        if value is not None:
            query = query.where(column == value)
    if filters.employee_ids is not None:
        query = query.join(employee_inputs, _INPUTS.id == _RESULTS.id).where(
            _INPUTS.employee_id.in_(filters.employee_ids), *_in_range(_INPUTS.id, filters)
        )
    return query.order_by(_RESULTS.id.desc()).limit(filters.limit)


def _whole(found: Sequence[Row[Any]], *, details: bool) -> Select[Any]:
    """Return the results with what belongs to them.

    Every table is told its keys: PostgreSQL then plans for the few partitions that have them, not for all.
    """
    keys = [row.id for row in found]
    its_request = (requests.c.id == _RESULTS.request_id) & requests.c.id.in_(
        {row.request_id for row in found}
    )
    query = (
        select(
            *(_RESULTS[name] for name in ("id", "model", "prediction", "probability", "threshold")),
            *(requests.c[name] for name in ("received_at", "caller_kind", "caller_name", "route")),
            _RESULTS.request_id,
            _INPUTS.employee_id,
            _INPUTS.record.is_(None).label("erased"),
        )
        .outerjoin(requests, its_request)
        .outerjoin(employee_inputs, (_INPUTS.id == _RESULTS.id) & _INPUTS.id.in_(keys))
    )
    if details:
        query = query.add_columns(_INPUTS.record, features.c.contributions, features.c.base_value)
        query = query.outerjoin(features, (features.c.id == _RESULTS.id) & features.c.id.in_(keys))
    return query.where(_RESULTS.id.in_(keys)).order_by(_RESULTS.id.desc())


def _in_range(key: ColumnElement[uuid.UUID], filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a key has to fulfil: times are told by it, so that no other column is looked at."""
    least = [bound(max(filters.since, _EPOCH))] if filters.since else []
    most = [filters.before] if filters.before else []
    most += [bound(max(filters.until, _EPOCH))] if filters.until else []
    return [*(key >= one for one in least), *(key < one for one in most)]


def _told(row: Row[Any], *, details: bool) -> dict[str, Any]:
    told = {
        "prediction_id": row.id,
        "request_id": row.request_id,
        "at": row.received_at,
        "caller": {"kind": row.caller_kind, "name": row.caller_name},
        "route": row.route,
        "model": row.model,
        "employee_id": row.employee_id,
        "prediction": row.prediction,
        "probability": row.probability,
        "threshold": row.threshold,
        "band": None if row.probability is None else domain.risk_band(row.probability, row.threshold),
        "erased": row.erased,
    }
    if details:
        told |= {name: row._mapping[name] for name in ("record", "contributions", "base_value")}
    return told
