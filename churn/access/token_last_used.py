"""When each token was used last, stored in the background."""

import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from churn.access.tokens import USE_STEP, record_use
from churn.core.errors import DatabaseError

logger = logging.getLogger("churn")


class TokenLastUsed:
    """Stores uses in its own thread, one a minute for each token: no caller waits for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted: dict[uuid.UUID, float] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="uses")

    def note(self, token_id: uuid.UUID) -> None:
        """Note that a token was used just now."""
        now = time.monotonic()
        if now - self._noted.get(token_id, float("-inf")) >= USE_STEP.total_seconds():
            self._noted[token_id] = now
            self._thread.submit(self._store, token_id)

    def close(self) -> None:
        """Finish the use that is being stored, and stop."""
        self._thread.shutdown(cancel_futures=True)

    def _store(self, token_id: uuid.UUID) -> None:
        try:
            record_use(self._engine, token_id)
        except DatabaseError as error:
            logger.warning("when a token was used last is not stored: %s", error)
