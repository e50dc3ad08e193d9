"""A connection to PostgreSQL: its Session begins each of its transactions, and each statement is watched.

The classes are subclasses of the driver's: any listener to the transactions of an engine makes SQLAlchemy
walk through all its events on every statement.
"""

import os
import socket
from typing import Any

from psycopg2 import extensions
from psycopg2.extensions import STATUS_READY

from churn.database.connection_watch import watch
from churn.database.session import Session


class PostgresConnection(extensions.connection):  # type: ignore[misc]  # psycopg2 has no types
    """A connection that waits for a statement as long as its Session says, or without limit while patient."""

    def __init__(self, session: Session, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.session = session
        self.be_patient(is_patient=False)
        # A descriptor of its own: the driver's may belong to another file by the time that this is cut.
        self._descriptor = os.dup(self.fileno())

    def be_patient(self, *, is_patient: bool) -> None:
        """Start or stop letting statements take as long as they need."""
        self.is_patient = is_patient
        self.patience = None if is_patient else self.session.patience  # seconds; None means no limit

    def cut(self) -> None:
        """End the wait, and the connection."""
        with socket.socket(fileno=os.dup(self._descriptor)) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)


class Cursor(extensions.cursor):  # type: ignore[misc]  # as above
    """A cursor that begins the transaction where none is open, and whose statements are watched."""

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Execute a statement; raises OperationalError where it takes too long."""
        connection: PostgresConnection = self.connection
        self._begin(connection)
        if connection.patience is None:
            super().execute(query, parameters)
            return
        watch.begin(connection, connection.patience)
        try:
            super().execute(query, parameters)
        finally:
            watch.end(connection)

    def executemany(self, query: Any, parameters: Any) -> None:
        """Execute a statement once for each of many parameters."""
        self._begin(self.connection)
        super().executemany(query, parameters)

    def _begin(self, connection: PostgresConnection) -> None:
        if connection.status == STATUS_READY and not connection.autocommit:
            with connection.cursor(cursor_factory=_FirstCursor) as first:
                connection.session.begin(first, is_patient=connection.is_patient)


class _FirstCursor(Cursor):
    """The cursor that begins a transaction."""

    def _begin(self, connection: PostgresConnection) -> None:
        pass
