"""What operators do (show, export, erase, purge, change users and tokens) is in the journal too."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from churn.core.ids import new_id
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.writer import Writer
from churn.schemas.caller import Caller

METHOD = "CLI"
ERASE, PURGE, SCORE = "churn data erase", "churn data purge", "churn score"


def record_action(
    writer: Writer,
    action: str,
    detail: dict[str, Any],
    who: str | None,
    also: Callable[[Connection], Any] | None = None,
) -> None:
    """Log an action as a request with its response, and do what it says in the same transaction.

    `action` is the command; `detail` is the response's body: it outlives the employees whom it concerns,
    and names none of them.

    Raises:
        DatabaseError: it could not be committed; nothing was done.
    """
    now = datetime.now(UTC)
    act = Call(
        id=new_id(),
        received_at=now,
        method=METHOD,
        route=action,
        caller=Caller("operator", name=who),
        answered_at=now,
        status=200,
        duration_ms=0.0,
        body=orjson.dumps(detail),
    )
    writer.write([entry_of(act)], also=also)


def perform(
    engine: Engine, action: str, detail: dict[str, Any], who: str | None, do: Callable[[Connection], Any]
) -> None:
    """Do something and log it, both or neither, as `record_act`.

    Raises:
        ChurnError: what doing it raises; nothing was done.
    """
    writer = Writer(engine)
    try:
        record_action(writer, action, detail, who, also=do)
    finally:
        writer.close()
