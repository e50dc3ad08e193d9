"""What is logged of one call: who asked, what was predicted, what was answered."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

CallerKind = Literal["user", "token", "operator", "anonymous"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: a user, a token, an operator at the command line, or nobody that is known."""

    kind: CallerKind = "anonymous"
    id: uuid.UUID | None = None
    name: str | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scored:
    """One prediction as it is logged: what came in, what the model saw, what it said.

    `values` and `contributions` (log-odds) are by canonical field name; `id` is the prediction's. `guessed`,
    which is not logged, has the fields whose value could be written to mean another.
    """

    id: uuid.UUID
    record: Mapping[str, object]
    values: Mapping[str, object]
    base_value: float
    contributions: Mapping[str, float]
    model: str
    prediction: int
    probability: float
    threshold: float
    guessed: frozenset[str] = frozenset()


class Recording(Protocol):
    """What journals a call."""

    async def record(self, exchange: "Exchange") -> None:
        """Log one exchange; durable on return."""


@dataclass(slots=True)
class Exchange:
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
