"""Before serving: what a worker needs is there, or one sentence says what is missing."""

import logging
import os
import sys
import threading

from sqlalchemy import Engine

from churn import registry
from churn.access.first import ensure_somebody
from churn.access.identities import check_identities
from churn.errors import DatabaseError, IdentityError
from churn.settings import Settings
from churn.storage import schema
from churn.storage.engine import is_embedded, opened
from churn.storage.store import is_away
from churn.storage.writer import rehearse

logger = logging.getLogger("churn")

# Set for the workers, which inherit it, once a start has made the identities: one that takes the place of
# another that died shall not undo what an operator has changed since.
MADE = "_CHURN_IDENTITIES_MADE"


def prepare(settings: Settings) -> None:
    """Check the model and the database, and make the environment's identities exist, or the first ones.

    The embedded SQLite database is migrated; another one only checked. One that does not answer may come
    back: where the journal has a spool, that is said and no reason not to start.

    Raises:
        ModelError, DatabaseError, SettingsError, IdentityError: what is missing, and what mends it.
    """
    check_identities(settings)
    registry.load(settings.model)
    url = settings.database_url.get_secret_value()
    with opened(url) as engine:
        try:
            if is_embedded(url):
                schema.upgrade(engine)
            schema.check(engine)
            _admit_somebody(engine, settings)
            os.environ[MADE] = "yes"
        except DatabaseError as error:
            if is_embedded(url) or not is_away(error) or not settings.has_spool:
                raise
            logger.warning("%s; until then the journal goes to the spool in %s", error, settings.spool)


class Reach:
    """Whether the database can be worked with; the first time it is, what a start could not do is done.

    Never again: what an operator revokes or changes while the service runs stays so. Any thread may call it.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._is_due = MADE not in os.environ
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Return where it answers, is at head, and takes rows.

        Raises:
            DatabaseError: it does not, or is not.
        """
        schema.check(self._engine)
        rehearse(self._engine)
        with self._lock:
            if self._is_due:
                self._make_up()
                self._is_due = False

    def _make_up(self) -> None:
        try:
            _admit_somebody(self._engine, self._settings)
        except IdentityError as error:  # at a start, a reason not to serve; by now others are served
            logger.error("%s", error)


def _admit_somebody(engine: Engine, settings: Settings) -> None:
    """Make the identities that are missing, and show those that nobody chose.

    On the terminal, not by a logger: its handlers may keep what they are told, and send it elsewhere.
    """
    if first := ensure_somebody(engine, settings):
        sys.stderr.write(f"\n{first}\n\n")
