"""Maintenance: chores of a running service, in their own thread."""

import logging
import threading

from sqlalchemy import Engine

from churn.core.errors import DatabaseError
from churn.database import partitions

logger = logging.getLogger("churn")

INTERVAL = 24 * 3600.0  # seconds
RETRY = 600.0  # seconds, after a failure


class Maintenance:
    """Makes the partitions of the next months at the start and once a day; SQLite has none."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        if self._engine.dialect.name == "postgresql":
            self._thread.start()

    def close(self) -> None:
        """Finish what is being done, and stop."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            try:
                partitions.ensure(self._engine)
                pause = INTERVAL
            except DatabaseError as error:
                logger.warning("the next months' partitions were not made: %s", error)
                pause = RETRY
