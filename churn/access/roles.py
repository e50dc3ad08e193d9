"""Roles and scopes: what a caller may do."""

from collections.abc import Collection, Mapping
from typing import Literal, get_args

Scope = Literal["predict", "history", "metrics", "ui", "admin"]
Role = Literal["analyst", "auditor", "operator", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
ROLES: tuple[Role, ...] = get_args(Role)

# People have roles, programs have scopes.
_SCOPES_OF: Mapping[str, frozenset[str]] = {
    "analyst": frozenset({"predict", "history", "ui"}),
    "auditor": frozenset({"history", "ui"}),
    "operator": frozenset({"metrics"}),
    "admin": frozenset({"admin"}),
}


def scopes_of(role: str) -> frozenset[str]:
    """Return the scopes of a role: none, where this version does not know it."""
    return _SCOPES_OF.get(role, frozenset())


def allows(scopes: Collection[str], needed: str | None) -> bool:
    """Return whether scopes are enough; `admin` allows everything, and None needs no scope at all."""
    return needed is None or needed in scopes or "admin" in scopes
