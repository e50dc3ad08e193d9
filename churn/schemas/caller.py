"""Who calls: a user, a token, an operator, or nobody that is known."""

import uuid
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

CallerKind = Literal["user", "token", "operator", "anonymous"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: a user, a token, an operator at the command line, or nobody that is known."""

    kind: CallerKind = "anonymous"
    id: uuid.UUID | None = None
    name: str | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Who:
    """Who called; null where somebody has torn the call's row out."""

    kind: Annotated[str | None, Field(description="user, token or operator")]
    name: str | None
