"""Reviews, read back beside their predictions, and emptied once these are erased or purged.

An emptied review keeps its row, for the chain of digests, until its own request is purged.
"""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from churn.database.tables import employee_inputs, requests, reviews
from churn.records.emptied_rows import empty_rows
from churn.schemas.caller import Who
from churn.schemas.review import LoggedReview


def reviews_of(
    connection: Connection, predictions: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[LoggedReview]]:
    """Return the reviews of each prediction that has some, the oldest first."""
    keys, found = list(predictions), dict[uuid.UUID, list[LoggedReview]]()
    if not keys:
        return found
    rows = connection.execute(
        select(reviews).where(reviews.c.prediction_id.in_(keys)).order_by(reviews.c.request_id)
    ).all()
    calls = (
        select(requests.c.id, requests.c.received_at, requests.c.caller_kind, requests.c.caller_name)
        .where(requests.c.id.in_([row.request_id for row in rows]))
    )  # fmt: skip
    call_of = {call.id: call for call in connection.execute(calls)} if rows else {}
    for row in rows:
        call = call_of.get(row.request_id)
        review = LoggedReview(
            review_id=row.request_id,
            at=call and call.received_at,
            caller=Who(call and call.caller_kind, call and call.caller_name),
            verdict=row.verdict,
            action=row.action,
            comment=row.comment,
        )
        found.setdefault(row.prediction_id, []).append(review)
    return found


def to_empty(connection: Connection, where: ColumnElement[bool]) -> Sequence[uuid.UUID]:
    """Return the reviews that must not stay: of inputs `where` says so, and of those that are gone already.

    The latter were added while their prediction was being erased or purged.
    """
    gone = or_(employee_inputs.c.id.is_(None), employee_inputs.c.record.is_(None), where)
    query = (
        select(reviews.c.request_id)
        .outerjoin(employee_inputs, employee_inputs.c.id == reviews.c.prediction_id)
        .where(reviews.c.salt.is_not(None), gone)
    )
    return connection.execute(query).scalars().all()


def empty(connection: Connection, keys: Sequence[uuid.UUID]) -> None:
    """Remove what some reviews say, and their salts; the rows stay."""
    empty_rows(connection, reviews.c.request_id, ("verdict", "action", "comment"), keys)
