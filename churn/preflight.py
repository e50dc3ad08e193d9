"""Before serving: what a worker needs is there, or one sentence says what is missing."""

import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from churn.access.first_admin import ensure_somebody
from churn.access.identities import check_identities
from churn.core.errors import DatabaseError, IdentityError, SettingsError
from churn.core.settings import Settings
from churn.database import schema
from churn.database.engine import is_embedded, opened
from churn.dictionary.dictionary import Dictionary
from churn.journal.store import is_away
from churn.journal.writer import probe
from churn.model import registry

logger = logging.getLogger("churn")

# Set for the workers, which inherit it, once a start has made the identities: one that takes the place of
# another that died shall not undo what an operator has changed since.
MADE = "_CHURN_IDENTITIES_MADE"


# What BentoML would do itself, around the gate and the journal or behind them, and why it may not.
UNFIT: Mapping[tuple[str, ...], str] = {
    ("http", "cors", "enabled"): "it stands behind the gate, which refuses what browsers ask first: "
    "let a proxy before this service answer for other sites",
    (
        "traffic",
        "max_concurrency",
    ): "what it refuses is in no journal: limit the calls of each user and token "
    "by CHURN_USER_RATE and CHURN_TOKEN_RATE",
    ("logging", "access", "enabled"): "it writes down addresses as callers typed them: set CHURN_ACCESS_LOG",
    (
        "metrics",
        "enabled",
    ): "it keeps a series for each address that callers make up: /metrics has the figures",
}


def check_configured(options: Mapping[str, Any]) -> None:
    """Accept what BentoML's configuration makes of the service's `options`.

    Raises:
        SettingsError: it switches something on that cannot be.
    """
    for place, reason in UNFIT.items():
        found: Any = options
        for part in place:
            found = (found or {}).get(part)
        if found:
            name = ".".join(place)
            raise SettingsError(f"BentoML's configuration sets {name} to {found}: {reason}; take it out")


def prepare(settings: Settings, dictionary: Dictionary) -> None:
    """Check the model and the database, and make the environment's identities exist, or the first ones.

    The embedded SQLite database is migrated; another one only checked. One that does not answer may come
    back: where the journal has a spool, that is said and no reason not to start.

    Raises:
        ModelError, DatabaseError, SettingsError, IdentityError: what is missing, and what mends it.
    """
    check_identities(settings)
    registry.load(settings.model, dictionary)
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
        probe(self._engine)
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
