"""One call, as it is logged: who asked, what was predicted, and what was answered."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from churn.schemas.caller import Caller
from churn.schemas.outcome import Outcome
from churn.schemas.prediction import Scored
from churn.schemas.review import Review


class Recording(Protocol):
    """An object that journals calls."""

    async def record(self, call: "Call") -> None:
        """Log one call; durable on return."""


SIGN_IN = "sign in"  # the route of a sign-in
REFUSED = (401, 403, 429)


@dataclass(slots=True)
class Call:
    """One call and its answer, complete when it is recorded.

    A refused call has no `scored`, and its `body` (JSON) holds field names but no values. `times` is more
    than 1 where similar refused calls are counted rather than stored one by one; `is_bare` says that a
    refused call had no credentials. `batch` journals a call whose predictions and `body` another process has.
    """

    id: uuid.UUID
    received_at: datetime
    method: str
    route: str
    caller: Caller
    answered_at: datetime
    status: int
    duration_ms: float
    body: bytes | None
    scored: Sequence[Scored] = field(default_factory=tuple)
    model: str | None = None
    review: Review | None = None
    outcomes: Sequence[Outcome] = ()
    times: int = 1
    is_bare: bool = False
    batch: Recording | None = None
