"""Locks on PostgreSQL: one process at a time changes the schema, and nobody waits long for it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from churn.database.session import patient

logger = logging.getLogger("churn")

# What waits for a lock, everyone else queues behind. Below PostgreSQL's deadlock_timeout (1 s): where two
# are in each other's way, it is the change of the schema that gives way, never a call.
LOCK_TIMEOUT = 800  # milliseconds
TRIES = 200
PAUSE = 0.5  # seconds in which the calls that queued go ahead
LOCK_NOT_AVAILABLE = "55P03"

_SCHEMA = 0x636875726E  # "churn": the advisory lock of whoever changes the schema


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Yield a connection on which one process at a time changes the schema; others wait for it.

    Its statements take as long as they need. A transaction beside it holds the lock: behind a pooler, that
    is all that lasts.
    """
    engine = patient(engine)
    with engine.begin() as guard:
        guard.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        guard.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA})
        with engine.connect() as connection:
            yield connection


def patiently(connection: Connection, work: Callable[[], None]) -> None:
    """Do some work in the transaction that is open, whole or not at all; again where a lock is not free.

    Raises:
        OperationalError: the lock was not free in all the tries.
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
