"""Administration: what an administrator changes on a page, journalled in the transaction that changes it."""

import uuid
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from churn.access import sessions, tokens, users
from churn.core.errors import IdentityError
from churn.journal.operator_actions import record_action
from churn.schemas.caller import Caller


class Administration:
    """Lists and changes users, tokens and sessions; the changes are named as the commands that do the same.

    The methods wait for the database, and raise DatabaseError where it does not answer. Those that change
    something raise IdentityError where that is refused; nothing is changed then.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def users(self) -> list[users.User]:
        """Return all users, by name."""
        return [*users.list_users(self._engine)]

    def tokens(self) -> list[tokens.IssuedToken]:
        """Return all tokens, the newest first."""
        return [*tokens.list_tokens(self._engine)]

    def sessions(self) -> list[sessions.Session]:
        """Return the sessions that are not over, the newest first."""
        return [*sessions.list_sessions(self._engine)]

    def add_user(self, caller: Caller, name: str, password: str, role: str) -> None:
        """Add a user."""
        users.check_user(name, password, role)
        self._change(
            caller,
            "churn user add",
            lambda connection: users.add_user(connection, name, password, role=role),
            user=name,
            role=role,
        )

    def set_password(self, caller: Caller, name: str, password: str) -> None:
        """Give a user another password, and end the user's sessions."""
        self._change(
            caller,
            "churn user password",
            lambda connection: users.set_password(connection, name, password),
            user=name,
        )

    def set_role(self, caller: Caller, name: str, role: str) -> None:
        """Give a user another role; nobody does so to themselves."""
        _refuse_self(caller, name)
        self._change(
            caller,
            "churn user role",
            lambda connection: users.set_role(connection, name, role),
            user=name,
            role=role,
        )

    def set_active(self, caller: Caller, name: str, *, is_active: bool) -> None:
        """Enable or disable a user; nobody does so to themselves."""
        _refuse_self(caller, name)
        self._change(
            caller,
            "churn user enable" if is_active else "churn user disable",
            lambda connection: users.set_active(connection, name, is_active=is_active),
            user=name,
        )

    def issue_token(
        self, caller: Caller, name: str, scopes: Collection[str], lifetime: timedelta | None
    ) -> str:
        """Issue a token and return its secret, which cannot be read again."""
        secret = tokens.new_secret()
        self._change(
            caller,
            "churn token issue",
            lambda connection: tokens.issue_token(
                connection, name, scopes=scopes, lifetime=lifetime, secret=secret
            ),
            token=name,
            scopes=sorted(scopes),
        )
        return secret

    def revoke_token(self, caller: Caller, name: str) -> None:
        """Revoke a token."""
        self._change(
            caller, "churn token revoke", lambda connection: tokens.revoke_token(connection, name), token=name
        )

    def end_session(self, caller: Caller, session_id: uuid.UUID, username: str) -> None:
        """End a session of a user."""
        self._change(
            caller,
            "end a session",
            lambda connection: sessions.end_session(connection, session_id),
            user=username,
        )

    def _change(
        self, caller: Caller, action: str, change: Callable[[Connection], Any], **detail: object
    ) -> None:
        if not all(value.isprintable() for value in detail.values() if isinstance(value, str)):
            raise IdentityError(
                "a name has printable characters only", "un nom n'a que des caractères visibles"
            )
        record_action(self._engine, action, detail, change, caller=caller)


def _refuse_self(caller: Caller, name: str) -> None:
    if name == caller.name:
        raise IdentityError(
            "nobody takes their own rights away: another administrator has to",
            "personne ne se retire ses propres droits : un autre administrateur doit le faire",
        )
