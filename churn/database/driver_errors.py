"""What the databases' own drivers raise, as errors of SQLAlchemy's that repeat nobody's values."""

import sqlite3
from typing import Any

import psycopg2
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

DRIVERS = (sqlite3.Error, psycopg2.Error)


def discreet(error: Exception, what: str) -> DBAPIError:
    """Return a driver's error as one of SQLAlchemy's, which says `what` for the statement and its values."""
    kind: Any = type(DBAPIError.instance(what, None, error, Exception))
    is_away = issubclass(kind, OperationalError | InterfaceError)  # those tell of the database, not of rows
    made: DBAPIError = kind(what, None, error if is_away else _Hidden(error))
    return made


class _Hidden(Exception):  # noqa: N818 - it stands for any of the driver's
    """What is left of a driver's error: its name, and what the database calls it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.pgcode = getattr(error, "pgcode", None)
        self.sqlite_errorname = getattr(error, "sqlite_errorname", None)
