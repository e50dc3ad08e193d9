"""Locks on PostgreSQL: one process at a time changes the schema, and nobody waits long for it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from churn.database.session import with_patience

logger = logging.getLogger("churn")

# Everybody queues behind a statement that waits for a lock. Below PostgreSQL's deadlock_timeout (1 s), so
# that in a conflict the change of the schema gives way, never a call.
LOCK_TIMEOUT = 800  # milliseconds
TRIES = 200
PAUSE = 0.5  # seconds in which the queued calls go ahead
LOCK_NOT_AVAILABLE = "55P03"

_SCHEMA = 0x636875726E  # "churn": the advisory lock for changes of the schema


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Yield a connection on which one process at a time changes the schema; the others wait.

    Its statements may take as long as they need. A second transaction holds the lock: behind a pooler,
    nothing longer than a transaction lasts.
    """
    engine = with_patience(engine)
    with engine.begin() as guard:
        guard.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        guard.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA})
        with engine.connect() as connection:
            yield connection


def patiently(connection: Connection, work: Callable[[], None]) -> None:
    """Do some work in the current transaction, all or nothing, and try again while a lock is not free.

    Raises:
        OperationalError: the lock was never free.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with connection.begin_nested():
                connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}"))
                work()
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) != LOCK_NOT_AVAILABLE or not tries_left:
                raise
        else:
            return
        logger.warning(
            "the journal's tables are in use: waiting for a moment to lock them (tries left: %d)", tries_left
        )
        time.sleep(PAUSE)
