"""The identities that the environment names: made at every start, where they are missing.

All functions raise IdentityError where a name, password or secret cannot be accepted, and those that take an
engine raise DatabaseError where the database does not answer.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, Engine, select, update

from churn.access.credentials import Credentials, user_credentials
from churn.access.passwords import matches
from churn.access.roles import Role, scopes_of
from churn.access.tokens import DEFAULT_SCOPES, digest, issue_token
from churn.access.users import add_user, check_user, find_user, set_password
from churn.core.errors import IdentityError, SettingsError
from churn.core.settings import Settings
from churn.database.schema import explained
from churn.database.tables import tokens
from churn.journal.operator_actions import record_action
from churn.schemas.caller import Caller

ENVIRONMENT = "environment"  # the operator in the audit log, where the settings named the change
ENVIRONMENT_TOKEN = "api-token"  # noqa: S105 - its name, not its secret
ROLE: Role = "admin"  # of the first user: somebody has to be


def environment_callers(settings: Settings) -> dict[bytes, Caller]:
    """Return the identities of the environment by a digest of their credentials: known without a database.

    They have no id here, and the scopes that `ensure_identities` gives them.
    """
    callers = {}
    if secret := settings.api_token.get_secret_value():
        name = environment_name(ENVIRONMENT_TOKEN, secret)
        callers[_key(Credentials("bearer", secret))] = Caller("token", None, name, frozenset(DEFAULT_SCOPES))
    if password := settings.api_password.get_secret_value():
        name = settings.api_username
        callers[_key(user_credentials(name, password))] = Caller("user", None, name, scopes_of(ROLE))
    return callers


def _key(credentials: Credentials) -> bytes:
    return digest(credentials.text)


def check_identities(settings: Settings) -> None:
    """Accept an environment whose identities can be made; does not ask the database.

    Raises:
        SettingsError: one half of the user is missing.
    """
    password = settings.api_password.get_secret_value()
    if bool(settings.api_username) != bool(password):
        raise SettingsError("API_USERNAME and API_PASSWORD go together: set both or neither")
    if password:
        check_user(settings.api_username, password, ROLE)


def ensure_identities(engine: Engine, settings: Settings) -> None:
    """Make the user of API_USERNAME and API_PASSWORD and the token of API_TOKEN, where they are set.

    Any number of processes may do this at once. Raises SettingsError as `check_identities`.
    """
    check_identities(settings)
    if password := settings.api_password.get_secret_value():
        _twice(lambda: ensure_user(engine, settings.api_username, password))
    if secret := settings.api_token.get_secret_value():
        _twice(lambda: ensure_token(engine, ENVIRONMENT_TOKEN, secret))


def _twice(ensure: Callable[[], None]) -> None:
    """Try again where another process has just made the same: now it is there."""
    try:
        ensure()
    except IdentityError:
        ensure()


def ensure_user(engine: Engine, username: str, password: str) -> None:
    """Create a user, or give an existing one this password."""
    check_user(username, password, ROLE)
    with explained(engine), engine.connect() as connection:
        user = find_user(connection, username)
    if user is None:
        detail = {"user": username, "role": ROLE}
        add = partial(add_user, username=username, password=password, role=ROLE)
        record_action(engine, "churn user add", detail, add, who=ENVIRONMENT)
    elif not matches(password, user.password_hash):
        change = partial(set_password, username=username, password=password)
        record_action(engine, "churn user password", {"user": username}, change, who=ENVIRONMENT)


def ensure_token(engine: Engine, name: str, secret: str) -> None:
    """Make this secret the only token of its name: one with another secret is revoked.

    A revoked secret stays revoked, whoever did it: it may be in the wrong hands.
    """
    query = select(tokens).where(tokens.c.name.startswith(f"{name}-"), tokens.c.revoked_at.is_(None))
    own = select(tokens.c.revoked_at).where(tokens.c.digest == digest(secret))
    with explained(engine), engine.connect() as connection:
        known = connection.execute(own).one_or_none()
        valid = connection.execute(query).all()
    if known is not None and known.revoked_at is not None:
        raise IdentityError("the token of API_TOKEN was revoked: set another secret, or none")
    # By the whole name: a token that an operator made may begin with the same word.
    older = [row.id for row in valid if row.digest != digest(secret) and row.name == _named(name, row.digest)]
    if known is not None and not older:
        return
    full_name = environment_name(name, secret)

    def change(connection: Connection) -> None:
        connection.execute(update(tokens).where(tokens.c.id.in_(older)).values(revoked_at=datetime.now(UTC)))
        if known is None:
            issue_token(connection, full_name, secret=secret)

    detail = {"token": full_name, "scopes": list(DEFAULT_SCOPES)}
    record_action(engine, "churn token issue", detail, change, who=ENVIRONMENT)


def environment_name(name: str, secret: str) -> str:
    """Return a name with a part of the digest, so that the log tells a rotated secret from the one before."""
    return _named(name, digest(secret))


def _named(name: str, stored: bytes) -> str:
    return f"{name}-{stored.hex()[:8]}"
