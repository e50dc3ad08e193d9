"""The identities that the environment names: made to exist at every start, and not again until the next."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select, update

from churn.access.credentials import Credentials, of_user
from churn.access.passwords import matches
from churn.access.roles import Role, scopes_of
from churn.access.tokens import DEFAULT_SCOPES, digest, issue_token
from churn.access.users import add_user, check_user, find_user, set_password
from churn.core.errors import IdentityError, SettingsError
from churn.core.settings import Settings
from churn.database.schema import explained
from churn.database.tables import tokens
from churn.journal.operator_actions import perform
from churn.schemas.caller import Caller

ENVIRONMENT = "environment"  # who changed what the settings name, in the audit log
ENVIRONMENT_TOKEN = "api-token"  # noqa: S105 - its name, not its secret
ROLE: Role = "admin"  # of the first user: somebody must be


def offline(settings: Settings) -> dict[bytes, Caller]:
    """Return the environment's identities by the digest of what they send: known without a database.

    They have no id here, and the scopes that `ensure_identities` gives them.
    """
    found = {}
    if secret := settings.api_token.get_secret_value():
        name = environment_name(ENVIRONMENT_TOKEN, secret)
        found[_key(Credentials("bearer", secret))] = Caller("token", None, name, frozenset(DEFAULT_SCOPES))
    if password := settings.api_password.get_secret_value():
        name = settings.api_username
        found[_key(of_user(name, password))] = Caller("user", None, name, scopes_of(ROLE))
    return found


def _key(credentials: Credentials) -> bytes:
    return digest(credentials.text)


def check_identities(settings: Settings) -> None:
    """Accept an environment whose identities can be made; asks no database.

    Raises:
        SettingsError: one half of the user is missing.
        IdentityError: the user's name is malformed.
    """
    password = settings.api_password.get_secret_value()
    if bool(settings.api_username) != bool(password):
        raise SettingsError("API_USERNAME and API_PASSWORD go together: set both or neither")
    if password:
        check_user(settings.api_username, password, ROLE)


def ensure_identities(engine: Engine, settings: Settings) -> None:
    """Make the user of API_USERNAME and API_PASSWORD and the token of API_TOKEN exist, where set.

    Any number of processes may do it at once.

    Raises:
        SettingsError: as `check_identities`.
        IdentityError, DatabaseError: as `ensure_user` and `ensure_token`.
    """
    check_identities(settings)
    if password := settings.api_password.get_secret_value():
        _twice(lambda: ensure_user(engine, settings.api_username, password))
    if secret := settings.api_token.get_secret_value():
        _twice(lambda: ensure_token(engine, ENVIRONMENT_TOKEN, secret))


def _twice(ensure: Callable[[], None]) -> None:
    """Do it again where another process made the same meanwhile: now it is there to be found."""
    try:
        ensure()
    except IdentityError:
        ensure()


def ensure_user(engine: Engine, username: str, password: str) -> None:
    """Make a user exist with this password: created, or the password replaced.

    Raises:
        IdentityError: the name is malformed or the password too weak.
        DatabaseError: the database does not answer.
    """
    check_user(username, password, ROLE)
    with explained(engine), engine.connect() as connection:
        found = find_user(connection, username)
    if found is None:
        detail = {"user": username, "role": ROLE}
        perform(
            engine,
            "churn user add",
            detail,
            ENVIRONMENT,
            lambda c: add_user(c, username, password, role=ROLE),
        )
    elif not matches(password, found.password_hash):
        detail = {"user": username}
        perform(
            engine,
            "churn user password",
            detail,
            ENVIRONMENT,
            lambda c: set_password(c, username, password),
        )


def ensure_token(engine: Engine, name: str, secret: str) -> None:
    """Make this secret the one token of its name: another secret that had it is revoked.

    What was revoked stays so, whoever did it: a secret that somebody took away may be in the wrong hands.

    Raises:
        IdentityError: the secret was revoked.
        DatabaseError: the database does not answer.
    """
    query = select(tokens).where(tokens.c.name.startswith(f"{name}-"), tokens.c.revoked_at.is_(None))
    mine = select(tokens.c.revoked_at).where(tokens.c.digest == digest(secret))
    with explained(engine), engine.connect() as connection:
        known = connection.execute(mine).one_or_none()
        standing = connection.execute(query).all()
    if known is not None and known.revoked_at is not None:
        raise IdentityError("the token of API_TOKEN was revoked: set another secret, or none")
    # By the whole name: an operator's own token may begin with the same word.
    older = [
        row.id for row in standing if row.digest != digest(secret) and row.name == _named(name, row.digest)
    ]
    if known is not None and not older:
        return
    full_name = environment_name(name, secret)

    def change(connection: Connection) -> None:
        connection.execute(update(tokens).where(tokens.c.id.in_(older)).values(revoked_at=datetime.now(UTC)))
        if known is None:
            issue_token(connection, full_name, secret=secret)

    detail = {"token": full_name, "scopes": list(DEFAULT_SCOPES)}
    perform(engine, "churn token issue", detail, ENVIRONMENT, change)


def environment_name(name: str, secret: str) -> str:
    """Return a name with a bit of the digest: the log can tell a rotated secret from the one before."""
    return _named(name, digest(secret))


def _named(name: str, stored: bytes) -> str:
    return f"{name}-{stored.hex()[:8]}"
