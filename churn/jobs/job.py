"""A job: a file of employees to be scored, as it stands on the disk."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

import orjson

from churn.core.language import Language, Pair
from churn.schemas.caller import Caller, CallerKind
from churn.schemas.file_reading import FileReading

State = Literal["waiting", "checking", "checked", "scoring", "done", "failed", "cancelled"]
# Why a job failed: its file, a limit, or what it needs.
Failure = Literal["file", "rows", "memory", "time", "database", "disk", "model", "ended", "internal"]

Decimal = Literal[".", ","]  # what parts decimals

ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})
UNDER_WAY: frozenset[State] = frozenset({"waiting", "checking", "scoring"})


@dataclass(frozen=True, slots=True)
class Owner:
    """Who made a job: a caller without an id, as those of the environment, is known by name."""

    kind: CallerKind
    id: uuid.UUID | None
    name: str | None

    @classmethod
    def of(cls, caller: Caller) -> Self:
        """Return a caller as the owner of jobs."""
        return cls(caller.kind, caller.id, None if caller.id else caller.name)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing that is wrong in a file: where, and what was expected there; not what is there."""

    file: str
    line: int | None
    column: str | None
    expected: Pair


@dataclass(slots=True)
class Job:
    """What is known about a job.

    `scored_at` is the moment that its predictions bear, whatever interrupts it; `progress` is 0 to 1.
    """

    id: uuid.UUID
    caller: Caller
    language: Language
    model: str
    only_check: bool
    created_at: datetime
    decimal: Decimal | None = None
    state: State = "waiting"
    changed_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_cancelled: bool = False
    attempts: int = 0
    progress: float = 0.0
    scored_at: datetime | None = None
    rows: int | None = None
    scored: int = 0
    rejected: int = 0
    flagged: int = 0
    readings: Sequence[FileReading] = ()
    notices: Sequence[Pair] = ()
    problems: Sequence[RowProblem] = ()
    problem_count: int = 0
    warnings: Sequence[Pair] = ()
    failure: Failure | None = None

    @property
    def owner(self) -> Owner:
        """Who may see it."""
        return Owner.of(self.caller)

    def move(self, state: State) -> None:
        """Enter a state, now."""
        self.state, self.changed_at = state, datetime.now(UTC)
        if state == "done":
            self.progress = 1.0

    def fail(self, failure: Failure) -> None:
        """End it, and note why."""
        self.failure = failure
        self.move("failed")

    def dump(self) -> bytes:
        """Return it as JSON."""
        caller = {"kind": self.caller.kind, "id": self.caller.id, "name": self.caller.name}
        return orjson.dumps({**asdict(self), "caller": caller})


def load(text: bytes) -> Job:
    """Return the job that `Job.dump` wrote.

    Raises:
        ValueError: it did not write this.
    """
    try:
        plain: dict[str, Any] = orjson.loads(text)
        caller = plain["caller"]
        identity = caller["id"] and uuid.UUID(caller["id"])
        plain |= {
            "id": uuid.UUID(plain["id"]),
            "caller": Caller(caller["kind"], identity, caller["name"]),
            "readings": [FileReading(**reading) for reading in plain["readings"]],
            "problems": [RowProblem(**problem) for problem in plain["problems"]],
        }
        for name in ("created_at", "changed_at", "scored_at"):
            plain[name] = plain[name] and datetime.fromisoformat(plain[name])
        return Job(**plain)
    except (TypeError, LookupError) as error:
        raise ValueError("not a job") from error
