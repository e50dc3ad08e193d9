"""A drafted dictionary, as data: its fields with what was seen of each, and what somebody has to check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class DraftField:
    """One field: the keys of its table in the file, why it is as it is, and what is doubtful in that."""

    name: str
    column: str
    entry: dict[str, Any]
    why: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def role(self) -> str:
        """What the field is for."""
        return str(self.entry.get("role", "optional"))

    @property
    def kind(self) -> str:
        """What it holds."""
        return str(self.entry.get("kind", ""))

    def leave_out(self, reason: str) -> None:
        """Make it a column that is read and dropped."""
        self.entry = {"role": "ignored"}
        self.why.append(reason)


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole dictionary; `read` says in one line for each file how it was read."""

    name: str
    files: tuple[str, ...]
    read: tuple[str, ...]
    sources: Mapping[str, Mapping[str, Any]]
    fields: tuple[DraftField, ...]
    audited: tuple[str, ...]
    examples: Mapping[str, Mapping[str, Any]]
