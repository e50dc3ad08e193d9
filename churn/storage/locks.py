"""Locks on PostgreSQL: one process at a time changes the schema, and nobody waits long for it."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

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

    The connection is its own: it has no statement timeout and is closed, not pooled, afterwards.
    """
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _SCHEMA})
        connection.commit()
        try:
            yield connection
        finally:
            connection.invalidate()


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
