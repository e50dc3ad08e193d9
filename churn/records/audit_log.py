"""The audit log: who signed in, was refused, read the journal, or changed users, tokens and data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import ColumnElement, Engine, Row, Text, cast, or_, select

from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import api_responses, requests
from churn.journal.call import REFUSED, SIGN_IN
from churn.journal.operator_actions import METHODS

EventKind = Literal["sign-in", "refused", "read", "changed"]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
HISTORY = "/history"
_READ = (HISTORY, "churn data show", "churn data export")

_IS_REFUSED = api_responses.c.status.in_(REFUSED)
_IS_ACTION = requests.c.method.in_(METHODS)
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "sign-in": (requests.c.route == SIGN_IN) & ~_IS_REFUSED,
    "refused": _IS_REFUSED,
    "read": requests.c.route.in_(_READ) & ~_IS_REFUSED,
    "changed": _IS_ACTION & requests.c.route.not_in(_READ),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that somebody did, or was refused.

    `who` is None where nobody knows; for a refused sign-in it is the user whose password was wrong. Sign-ins
    and refusals have an `address`: that of the first, where several are counted (`times`). `detail` says what
    an operator's action was about.
    """

    at: datetime
    kind: EventKind
    who_kind: str
    who: str | None
    what: str
    address: str | None
    status: int
    times: int
    detail: dict[str, Any]


def events(
    engine: Engine, since: datetime, *, kinds: Collection[str] = EVENT_KINDS, limit: int = 200
) -> Sequence[Event]:
    """Return up to `limit` events of some kinds from `since` on, the newest first.

    Reads every call since then: ten million take a minute.

    Raises:
        DatabaseError: the database does not answer.
    """
    query = (
        select(
            requests.c.received_at,
            requests.c.method,
            requests.c.route,
            requests.c.caller_kind,
            requests.c.caller_name,
            requests.c.times,
            api_responses.c.status,
            cast(api_responses.c.body, Text).label("body"),
        )
        .join(api_responses, api_responses.c.request_id == requests.c.id)
        .where(requests.c.id >= bound(since), api_responses.c.request_id >= bound(since))
        .where(or_(*(_CONDITIONS[kind] for kind in kinds)))
        .order_by(requests.c.id.desc())
        .limit(limit)
    )
    with explained(engine), engine.connect() as connection:
        rows = connection.execute(query).all()
    return [_event(row) for row in rows]


def _event(row: Row[Any]) -> Event:
    body = orjson.loads(row.body) if row.body else {}
    return Event(
        at=row.received_at,
        kind=_kind(row.method, row.route, row.status),
        who_kind=row.caller_kind,
        who=row.caller_name,
        what=row.route,
        address=body.get("address"),
        status=row.status,
        times=row.times,
        detail=body if row.method in METHODS else {},
    )


def _kind(method: str, route: str, status: int) -> EventKind:
    if status in REFUSED:
        return "refused"
    if route == SIGN_IN:
        return "sign-in"
    return "changed" if method in METHODS and route not in _READ else "read"
