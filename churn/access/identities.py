"""The identities that the environment names: made to exist at every start."""

from sqlalchemy import Engine

from churn.access.tokens import DEFAULT_SCOPES, digest, ensure_token, environment_name
from churn.access.users import ensure_user
from churn.errors import SettingsError
from churn.settings import Settings
from churn.storage.exchanges import Caller

FIRST_TOKEN, ENVIRONMENT_TOKEN = "first", "api-token"


def offline(settings: Settings) -> dict[bytes, Caller]:
    """Return the environment's identities by the digest of what they send: known without a database.

    They have no id here, and the scopes that `ensure_identities` gives them.
    """
    found, scopes = {}, frozenset(DEFAULT_SCOPES)
    if secret := settings.api_token.get_secret_value():
        name = environment_name(ENVIRONMENT_TOKEN, secret)
        found[digest(secret)] = Caller("token", None, name, scopes)
    if password := settings.api_password.get_secret_value():
        secret = f"{settings.api_username}:{password}"
        found[digest(secret)] = Caller("user", None, settings.api_username, scopes)
    return found


def ensure_identities(engine: Engine, settings: Settings) -> None:
    """Make the user of API_USERNAME and API_PASSWORD and the token of API_TOKEN exist, where set.

    Raises:
        SettingsError: one half of the user is missing.
        IdentityError, DatabaseError: as `ensure_user` and `ensure_token`.
    """
    password = settings.api_password.get_secret_value()
    if bool(settings.api_username) != bool(password):
        raise SettingsError("API_USERNAME and API_PASSWORD go together: set both or neither")
    if password:
        ensure_user(engine, settings.api_username, password)
    if settings.api_token.get_secret_value():
        ensure_token(engine, ENVIRONMENT_TOKEN, settings.api_token.get_secret_value())
