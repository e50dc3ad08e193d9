"""The state of a request: what the middlewares and the endpoint tell those around them."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from starlette.types import Scope

from churn.access.credentials import Credentials
from churn.core.ids import new_id
from churn.core.language import Language
from churn.journal.call import Recording
from churn.schemas.caller import Caller
from churn.schemas.outcome import Outcome
from churn.schemas.prediction import Scored
from churn.schemas.review import Review
from churn.web.routes import ELSEWHERE, Route

STATE = "churn"  # its key in a scope's "state"


class Batch(Recording, Protocol):
    """A large batch that another process has answered, and journals."""

    def close(self) -> None:
        """Have the batch forgotten there."""


@dataclass(slots=True)
class RequestState:
    """What is known about a request so far."""

    request_id: uuid.UUID = field(default_factory=new_id)
    received_at: datetime = field(default_factory=partial(datetime.now, UTC))
    started: float = field(default_factory=time.perf_counter)
    route: Route = ELSEWHERE
    language: Language = "fr"
    address: str | None = None  # of the caller; None until the gate has looked
    caller: Caller = Caller()  # noqa: RUF009 - frozen; anonymous until the gate has looked
    scored: Sequence[Scored] = ()  # what the answer predicts
    session: Credentials | None = None  # of a page
    kept: Mapping[str, str] = field(default_factory=dict)  # what a form sent after its session had ended
    document: bytes | None = None  # what the journal keeps of the answer, as JSON, where that is a page
    batch: Batch | None = None  # which journals the call instead
    review: Review | None = None  # that the call adds
    outcomes: Sequence[Outcome] = ()  # likewise
    refused: int | None = None  # the status, where the protocol itself has answered


def state_of(scope: Scope) -> RequestState:
    """Return a request's state, which the first call makes; inside `Metrics` it is at `STATE`."""
    states = scope.setdefault("state", {})
    state: RequestState | None = states.get(STATE)
    if state is None:
        state = states[STATE] = RequestState()
    return state
