"""Maintenance: what a running service does now and then, in a thread of its own."""

import logging
import threading

from sqlalchemy import Engine

from churn.core.errors import DatabaseError
from churn.database import partitions

logger = logging.getLogger("churn")

EVERY = 24 * 3600.0  # seconds
AGAIN = 600.0  # seconds, after a failure


class Maintenance:
    """Makes the partitions of the next months, at the start and once a day; SQLite has none."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._engine.dialect.name == "postgresql":
            self._thread.start()

    def close(self) -> None:
        """End, after what is being done."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            try:
                partitions.ensure(self._engine)
                pause = EVERY
            except DatabaseError as error:
                logger.warning("the next months' partitions were not made: %s", error)
                pause = AGAIN
