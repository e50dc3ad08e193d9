"""The first user and token: made where nobody could sign in, and shown once."""

import secrets
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from churn.access.identities import ROLE, ensure_identities
from churn.access.tokens import DEFAULT_SCOPES, count_tokens, issue_token, new_secret
from churn.access.users import add_user, count_users
from churn.core.errors import IdentityError
from churn.core.settings import Settings
from churn.journal.operator_actions import record_action

USER, TOKEN = "admin", "first"


@dataclass(frozen=True, slots=True)
class FirstCredentials:
    """A first user's password and a first token; as a text, what the operator is shown.

    Never log it: the only copy is the one that is shown.
    """

    password: str = field(repr=False)
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return (
            f"First user, shown this once:   {USER} / {self.password}\n"
            f"First token, shown this once:  {self.secret}"
        )


def ensure_first_admin(engine: Engine, settings: Settings) -> FirstCredentials | None:
    """Make the identities of the environment; if there is nobody at all then, make a first user and token.

    Both or neither are made, in one transaction with the journal's row about them. Of several processes that
    do this at once, one makes and returns them. The others return None, as where somebody is there already.

    Raises:
        SettingsError, IdentityError, DatabaseError: as `ensure_identities`.
    """
    ensure_identities(engine, settings)
    if count_users(engine) or count_tokens(engine):
        return None
    first = FirstCredentials(secrets.token_urlsafe(12), new_secret())

    def make(connection: Connection) -> None:
        add_user(connection, USER, first.password, role=ROLE)
        issue_token(connection, TOKEN, secret=first.secret)

    detail = {"user": USER, "role": ROLE, "token": TOKEN, "scopes": list(DEFAULT_SCOPES)}
    try:
        record_action(engine, "churn setup", detail, make)
    except IdentityError:
        if not count_users(engine):
            raise
        return None  # another process was faster, and has shown its own
    return first
