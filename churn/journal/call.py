"""What is logged of one call: who asked, what was predicted, what was answered."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored


class Recording(Protocol):
    """What journals a call."""

    async def record(self, call: "Call") -> None:
        """Log one call; durable on return."""


SIGN_IN = "sign in"  # the route of who does
REFUSED = (401, 403, 429)


@dataclass(slots=True)
class Call:
    """One call and its answer, complete when it is recorded.

    A refused call has no `scored`, and its `body` (JSON) holds field names but none of their values.
    `times` is more than 1 where refused calls alike are counted instead of stored one by one; `is_bare`
    says that a refused one came without credentials. `batch` is what journals a call whose predictions and
    `body` are with another process.
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
    times: int = 1
    is_bare: bool = False
    batch: Recording | None = None
