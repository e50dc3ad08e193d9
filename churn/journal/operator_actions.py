"""The journal also logs what operators do: show, export, erase, purge, change users and tokens."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from churn.core.ids import new_id
from churn.core.operator import operator
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.writer import Writer
from churn.schemas.caller import Caller
from churn.schemas.outcome import Outcome

METHOD, PAGE = "CLI", "PAGE"  # by a command, or on a page
METHODS = (METHOD, PAGE)
ERASE, PURGE, SCORE = "churn data erase", "churn data purge", "churn score"
OUTCOMES = "churn outcomes"


def record_action(
    engine: Engine,
    action: str,
    detail: dict[str, Any],
    also: Callable[[Connection], Any] | None = None,
    *,
    who: str | None = None,
    caller: Caller | None = None,
    outcomes: Sequence[Outcome] = (),
) -> None:
    """Log an action as a request with its response; `also` does it, in the same transaction.

    `action` is the command and `detail` the response's body. The body outlives the employees whom the action
    concerns, so it names none of them. `who` is by default the account that runs this; a `caller` did it on a
    page instead. `outcomes` are stored with it, their ids as they are given.

    Raises:
        DatabaseError: it could not be committed; nothing was done.
        ChurnError: what `also` raises; nothing was done.
    """
    now = datetime.now(UTC)
    call = Call(
        id=new_id(),
        received_at=now,
        method=PAGE if caller else METHOD,
        route=action,
        caller=caller or Caller("operator", name=who or operator()),
        answered_at=now,
        status=200,
        duration_ms=0.0,
        body=orjson.dumps(detail),
        outcomes=outcomes,
    )
    with closing(Writer(engine)) as writer:
        writer.write([entry_of(call)], also=also)
