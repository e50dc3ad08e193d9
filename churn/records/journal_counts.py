"""What the journal took in within a period."""

from datetime import datetime

from sqlalchemy import Engine, case, func, select

from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import api_responses, outcomes, prediction_results, requests, reviews
from churn.journal.call import REFUSED
from churn.schemas.weekly_report import JournalCounts

FAILED = 500  # the first status that is the service's fault


def count_journal(engine: Engine, since: datetime, until: datetime) -> JournalCounts:
    """Return the counts from `since` on and before `until`; raises DatabaseError."""
    counted = (prediction_results.c.id, reviews.c.request_id, outcomes.c.id)
    status, times = api_responses.c.status, requests.c.times
    calls = (
        select(
            func.coalesce(func.sum(times), 0),
            func.coalesce(func.sum(case((status.in_(REFUSED), times), else_=0)), 0),
            func.coalesce(func.sum(case((status >= FAILED, times), else_=0)), 0),
        )
        .outerjoin(api_responses, api_responses.c.request_id == requests.c.id)
        .where(requests.c.id >= bound(since), requests.c.id < bound(until))
    )
    with explained(engine), engine.connect() as connection:
        rows = [
            connection.execute(
                select(func.count(key)).where(key >= bound(since), key < bound(until))
            ).scalar_one()
            for key in counted
        ]
        called, refused, failed = connection.execute(calls).one()
    predictions, reviewed, known = rows
    return JournalCounts(predictions, reviewed, known, called, refused, failed)
