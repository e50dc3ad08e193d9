"""The drivers' errors as errors of SQLAlchemy's, which repeat nobody's values."""

import sqlite3
from typing import Any

import psycopg2
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

DRIVERS = (sqlite3.Error, psycopg2.Error)


def discreet(error: Exception, label: str) -> DBAPIError:
    """Return a driver's error as one of SQLAlchemy's; a `label` replaces the statement and its values."""
    kind: Any = type(DBAPIError.instance(label, None, error, Exception))
    is_away = issubclass(
        kind, OperationalError | InterfaceError
    )  # these are about the database, not the rows
    converted: DBAPIError = kind(label, None, error if is_away else _Hidden(error))
    return converted


class _Hidden(Exception):  # noqa: N818 - it stands for any of the driver's
    """A driver's error without its text: its name, and the database's code for it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.pgcode = getattr(error, "pgcode", None)
        self.sqlite_errorname = getattr(error, "sqlite_errorname", None)
