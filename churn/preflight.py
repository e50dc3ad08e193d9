"""Before serving: what a worker needs is there, or one sentence says what is missing."""

from churn import registry
from churn.access.identities import ensure_identities
from churn.settings import Settings
from churn.storage import schema
from churn.storage.engine import is_embedded, opened


def prepare(settings: Settings) -> None:
    """Check the model and the database, and make the environment's identities exist.

    The embedded SQLite database is migrated; another one only checked.

    Raises:
        ModelError, DatabaseError, SettingsError, IdentityError: what is missing, and what mends it.
    """
    registry.load(settings.model)
    with opened(settings.database_url) as engine:
        if is_embedded(settings.database_url):
            schema.upgrade(engine)
        schema.check(engine)
        ensure_identities(engine, settings)
