"""Before serving: what a worker needs is there, or one sentence says what is missing."""

import logging
import threading
from contextlib import suppress

from sqlalchemy import Engine

from churn import registry
from churn.access.identities import ensure_identities
from churn.errors import DatabaseError, IdentityError
from churn.settings import Settings
from churn.storage import schema
from churn.storage.engine import is_embedded, opened
from churn.storage.store import is_away
from churn.storage.writer import rehearse

logger = logging.getLogger("churn")


def prepare(settings: Settings) -> None:
    """Check the model and the database, and make the environment's identities exist.

    The embedded SQLite database is migrated; another one only checked. One that does not answer may come
    back: where the journal has a spool, that is said and no reason not to start.

    Raises:
        ModelError, DatabaseError, SettingsError, IdentityError: what is missing, and what mends it.
    """
    registry.load(settings.model)
    with opened(settings.database_url) as engine:
        try:
            _prepare_database(engine, settings)
        except DatabaseError as error:
            if is_embedded(settings.database_url) or not is_away(error) or not settings.has_spool:
                raise
            logger.warning("%s; until then the journal goes to the spool in %s", error, settings.spool)


class Reach:
    """Whether the database can be worked with; once it is back, what a start could not do is done.

    Any thread may call it.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._was_away = False
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Return where it answers, is at head, and takes rows.

        Raises:
            DatabaseError: it does not, or is not.
        """
        try:
            schema.check(self._engine)
            rehearse(self._engine)
        except DatabaseError:
            self._was_away = True
            raise
        with self._lock:
            if self._was_away:
                with suppress(IdentityError):  # another worker was quicker
                    ensure_identities(self._engine, self._settings)
                self._was_away = False


def _prepare_database(engine: Engine, settings: Settings) -> None:
    if is_embedded(settings.database_url):
        schema.upgrade(engine)
    schema.check(engine)
    ensure_identities(engine, settings)
