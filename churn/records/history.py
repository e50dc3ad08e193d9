"""The history: past predictions, newest first, a page at a time; and each by its id."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Select, or_, select

from churn.database.schema import explained
from churn.database.tables import prediction_results, requests
from churn.journal.pseudonyms import stored_forms
from churn.records.predictions import choose, read
from churn.schemas.caller import Caller
from churn.schemas.history_query import HistoryQuery
from churn.schemas.logged_prediction import HistoryPage, LoggedPrediction


@dataclass(frozen=True, slots=True)
class History:
    """The predictions in one database; employees may be stored there by pseudonyms of this key.

    Both methods raise DatabaseError where the database does not answer, or not in time.
    """

    engine: Engine
    pseudonym_key: str = ""

    def page(self, query: HistoryQuery, of: Caller | None = None, *, reviewed: bool = False) -> HistoryPage:
        """Return a page of predictions, newest first, and the id before which the next page begins.

        `of` is the caller who asked for them; by default, everybody. They have their reviews if `reviewed`,
        or with details. A prediction is as old as its id. If somebody removed its request, it has no time
        and no caller.
        """
        forms = None if query.employee_id is None else stored_forms(query.employee_id, self.pseudonym_key)
        chosen = choose(query.since, query.until, forms, query.before)
        results = prediction_results.c
        for column, value in (
            (results.caller_name, query.user),
            (results.model, query.model),
            (results.prediction, query.prediction),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        if of is not None:
            chosen = _asked_for_by(chosen, of)
        # One more than the page holds, to know whether there is another page.
        newest = chosen.order_by(results.id.desc()).limit(query.limit + 1)
        with explained(self.engine), self.engine.connect() as connection:
            reviewed = reviewed or query.details
            predictions = read(connection, newest, details=query.details, reviewed=reviewed)
        shown = predictions[: query.limit]
        is_last = len(shown) == len(predictions)
        return HistoryPage(predictions=shown, next=None if is_last else shown[-1].prediction_id)

    def prediction(self, key: uuid.UUID) -> LoggedPrediction | None:
        """Return one prediction with its details; None where there is none with this id."""
        own = select(prediction_results).where(prediction_results.c.id == key)
        with explained(self.engine), self.engine.connect() as connection:
            return next(iter(read(connection, own)), None)


def _asked_for_by(chosen: Select[Any], caller: Caller) -> Select[Any]:
    """Return the query for what one caller asked for, as `LoggedPrediction.is_of` says."""
    results, calls = prediction_results.c, requests.c
    mine = chosen.join(requests, calls.id == results.request_id)
    # The results' own column has an index.
    mine = mine.where(results.caller_name == caller.name, calls.caller_kind == caller.kind)
    if caller.id is None:
        return mine
    return mine.where(or_(calls.caller_id.is_(None), calls.caller_id == caller.id))
