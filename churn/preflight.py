"""Before serving: everything that a worker needs is there, or one sentence says what is missing."""

import logging
import sys
import threading

from sqlalchemy import Engine

from churn.access.first_admin import ensure_first_admin
from churn.access.identities import check_identities
from churn.core import places
from churn.core.errors import DatabaseError, IdentityError, MirrorError
from churn.core.settings import Settings
from churn.database import schema
from churn.database.engine import is_embedded, opened
from churn.dictionary.dictionary import Dictionary
from churn.journal.store import is_away
from churn.journal.writer import probe
from churn.mirror import mirror
from churn.model import registry

logger = logging.getLogger("churn")


def prepare(settings: Settings, dictionary: Dictionary) -> bool:
    """Check the model and the database, and make the identities of the environment, or the first ones.

    The embedded SQLite database is migrated, others are only checked. A database that does not answer may
    come back: where the journal has a spool, a warning is logged, the service starts, and False is returned.

    Raises:
        ModelError, DatabaseError, SettingsError, IdentityError: what is missing, and what to do.
    """
    check_identities(settings)
    registry.load(settings.model, dictionary)
    url = settings.database_url.get_secret_value()
    if places.forgets(url) and not settings.hf_dataset:
        logger.warning(
            "this Space has no persistent storage: users, tokens and the history of predictions go when it "
            "restarts; mount storage at %s to keep them",
            places.VOLUME,
        )
    with opened(url) as engine:
        try:
            if is_embedded(url):
                schema.upgrade(engine)
            schema.check(engine)
            _restore(settings, engine)
            _make_identities(engine, settings)
        except DatabaseError as error:
            if is_embedded(url) or not is_away(error) or not settings.has_spool:
                raise
            logger.warning("%s; until then the journal goes to the spool in %s", error, settings.spool)
            return False
    return True


def _restore(settings: Settings, engine: Engine) -> None:
    """Put the history back from its mirror; where that is away, go on: the mirror tries again."""
    found = mirror.configured(settings, engine)
    if found is not None:
        try:
            found.restore()
        except MirrorError as error:
            logger.warning("the history is not back yet: %s", error)
        finally:
            found.close()


class DatabaseProbe:
    """Checks whether the database can be used; the first time that it can, makes the missing identities.

    Only that once, and not where `has_identities`, as a start has made them: what an operator revokes or
    changes while the service runs stays so. Any thread may call it.
    """

    def __init__(self, engine: Engine, settings: Settings, *, has_identities: bool) -> None:
        self._engine, self._settings = engine, settings
        self._is_due = not has_identities
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Return if the database answers, is at head and takes rows.

        Raises:
            DatabaseError: it does not.
        """
        probe(self._engine)
        with self._lock:
            if self._is_due:
                try:
                    _make_identities(self._engine, self._settings)
                except IdentityError as error:  # a start would end; by now callers are served
                    logger.error("%s", error)
                self._is_due = False


def _make_identities(engine: Engine, settings: Settings) -> None:
    """Make the missing identities, and show those that nobody chose.

    They go to the terminal, not to a logger, whose handlers may store them or send them elsewhere.
    """
    if first := ensure_first_admin(engine, settings):
        sys.stderr.write(f"\n{first}\n\n")
