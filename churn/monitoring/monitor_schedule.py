"""The scheduled look of the monitors: by one process of all that serve one database, and journalled."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from churn.core.errors import ChurnError
from churn.database.lease import Lease
from churn.journal.operator_actions import record_action

if TYPE_CHECKING:
    from sqlalchemy import Engine

logger = logging.getLogger("churn")

ACTION = "churn monitor"  # as the audit log calls it
SCHEDULE = "schedule"  # who does it
LASTS = timedelta(minutes=10)  # after which a process that looks is taken for dead
PAUSE = 5.0  # seconds between two questions whether it is time: each is one read of one row


class MonitorSchedule:
    """Looks `every` so often, in a thread of its own; `look` returns what the audit log keeps of it."""

    def __init__(self, engine: "Engine", every: timedelta, look: Callable[[], Mapping[str, str]]) -> None:
        self._engine, self._every, self._look = engine, every, look
        self._lease = Lease(engine, "monitor", LASTS)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor-schedule", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop; a look that has begun is left to another process."""
        self._closing.set()

    def _run(self) -> None:
        failed = False
        while not self._closing.wait(PAUSE):
            try:
                self._look_if_due()
                failed = False
            except ChurnError as error:
                if not failed:  # said once, not every few seconds
                    logger.warning("the scheduled look of the monitors failed: %s", error)
                failed = True

    def _look_if_due(self) -> None:
        if self._lease.take(datetime.now(UTC), self._every):
            found = dict(self._look())
            finish = partial(self._lease.finish, datetime.now(UTC))
            record_action(self._engine, ACTION, found, also=finish, who=SCHEDULE)
