"""When each token was used last, stored at leisure."""

import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from churn.access.tokens import USE_STEP, note_use
from churn.core.errors import DatabaseError

logger = logging.getLogger("churn")


class TokenLastUsed:
    """Stores uses in a thread of its own, one a minute and token: no caller waits for it."""

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
        """End, after what is being stored."""
        self._thread.shutdown(cancel_futures=True)

    def _store(self, token_id: uuid.UUID) -> None:
        try:
            note_use(self._engine, token_id)
        except DatabaseError as error:
            logger.warning("when a token was used last is not stored: %s", error)
