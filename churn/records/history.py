"""The history: the predictions that were made, newest first, a page at a time."""

from sqlalchemy import Engine

from churn.database.schema import explained
from churn.database.tables import prediction_results
from churn.journal.pseudonyms import stored_forms
from churn.records.predictions import choose, read
from churn.schemas.history_query import HistoryQuery
from churn.schemas.logged_prediction import HistoryPage


def page(engine: Engine, query: HistoryQuery, pseudonym_key: str = "") -> HistoryPage:
    """Return a page of predictions, newest first, and the id before which the next one begins.

    A prediction is as old as its id. One whose request somebody has torn out has no time and no caller.

    Raises:
        DatabaseError: the database does not answer, or not in time.
    """
    forms = None if query.employee_id is None else stored_forms(query.employee_id, pseudonym_key)
    chosen = choose(query.since, query.until, forms, query.before)
    results = prediction_results.c
    for column, value in (
        (results.caller_name, query.user),
        (results.model, query.model),
        (results.prediction, query.prediction),
    ):
        if value is not None:
            chosen = chosen.where(column == value)
    # One more than the page holds tells whether there is another.
    newest = chosen.order_by(results.id.desc()).limit(query.limit + 1)
    with explained(engine), engine.connect() as connection:
        found = read(connection, newest, details=query.details)
    shown = found[: query.limit]
    return HistoryPage(predictions=shown, next=shown[-1].prediction_id if len(found) > len(shown) else None)
