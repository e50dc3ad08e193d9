"""What is known of one request: the middlewares and the endpoint leave it for those around them."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from starlette.types import Scope

from churn.core.ids import new_id
from churn.core.language import Language
from churn.journal.call import Recording
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored
from churn.web.routes import ELSEWHERE, Route

STATE = "churn"  # under which a scope's "state" holds it


class Batch(Recording, Protocol):
    """What journals a large batch that another process has answered."""

    def close(self) -> None:
        """Have it forgotten there."""


@dataclass(slots=True)
class RequestState:
    """What is known of one request so far."""

    request_id: uuid.UUID = field(default_factory=new_id)
    received_at: datetime = field(default_factory=partial(datetime.now, UTC))
    started: float = field(default_factory=time.perf_counter)
    route: Route = ELSEWHERE
    language: Language = "fr"
    address: str | None = None  # where it comes from; None until the gate has looked
    caller: Caller = Caller()  # noqa: RUF009 - frozen; anonymous until the gate knows better
    scored: Sequence[Scored] = ()  # what the answer predicts
    batch: Batch | None = None  # what journals the call instead
    refused: int | None = None  # the status with which the protocol has answered it


def state_of(scope: Scope) -> RequestState:
    """Return a request's state, made at the first call; inside of `Metrics`, it is at `STATE`."""
    states = scope.setdefault("state", {})
    state: RequestState | None = states.get(STATE)
    if state is None:
        state = states[STATE] = RequestState()
    return state
