"""The database, as commands use it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine

from churn.core.errors import IdentityError
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.journal.operator_actions import record_action

# The message if SQLite could not empty its log.
LEFT_IN_LOG = (
    "the database's log (-wal) still has what was taken away, since another process is reading: "
    "it goes when that has ended"
)

Change = Callable[[Connection], Any]


@contextmanager
def connected(*, patient: bool = False) -> Iterator[Engine]:
    """Yield an engine for the database of the settings; `patient` as in `make_engine`.

    Raises:
        DatabaseError: the database does not answer, or is not at head.
    """
    with opened(load().database_url.get_secret_value(), patient=patient) as engine:
        schema.check(engine)
        yield engine


@contextmanager
def changing(action: str, **detail: Any) -> Iterator[Callable[[Change], None]]:
    """Yield what makes a change, and journals it in the same transaction as `action` with its `detail`.

    Raises:
        ChurnError: the database is not ready for it, or the change is refused; nothing is changed then.
    """
    if not all(value.isprintable() for value in detail.values() if isinstance(value, str)):
        raise IdentityError("a name has printable characters only")
    with connected() as engine:
        yield partial(record_action, engine, action, detail)
