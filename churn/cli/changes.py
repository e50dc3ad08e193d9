"""Changes of users and tokens: each in one transaction with the journal's row about it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from churn.core.errors import IdentityError
from churn.core.operator import operator
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.journal.operator_actions import perform

Change = Callable[[Connection], Any]


@contextmanager
def changing(action: str, **detail: Any) -> Iterator[Callable[[Change], None]]:
    """Yield what makes a change and journals it as `action` with its `detail`.

    Raises:
        ChurnError: the database is not ready for it, or the change is refused; then nothing is.
    """
    if not all(value.isprintable() for value in detail.values() if isinstance(value, str)):
        raise IdentityError("a name has printable characters only")
    with opened(load().database_url.get_secret_value()) as engine:
        schema.check(engine)
        yield lambda change: perform(engine, action, detail, operator(), change)
