"""A connection to PostgreSQL: each of its transactions begins as its Session says, each statement is watched.

By the driver's own classes: a listener of SQLAlchemy's to any of an engine's transactions costs every
statement a walk through all that could be listened to.
"""

import os
import socket
from typing import Any

from psycopg2.extensions import STATUS_READY, connection, cursor

from churn.database.connection_watch import watch
from churn.database.session import Session


class PostgresConnection(connection):  # type: ignore[misc]  # psycopg2 has no types
    """A connection that waits for a statement for as long as its Session says, or is patient for a while."""

    def __init__(self, session: Session, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.session = session
        self.be_patient(is_patient=False)
        # A number of its own for the socket: the driver's may be somebody else's by the time that it is cut.
        self._number = os.dup(self.fileno())

    def be_patient(self, *, is_patient: bool) -> None:
        """Have statements take as long as they need from now on, or no longer."""
        self.is_patient = is_patient
        self.patience = None if is_patient else self.session.patience  # seconds; None is for ever

    def cut(self) -> None:
        """End what the connection waits for, and the connection."""
        with socket.socket(fileno=os.dup(self._number)) as line:
            line.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        if hasattr(self, "_number"):
            os.close(self._number)


class Cursor(cursor):  # type: ignore[misc]  # as above
    """A cursor that begins the transaction where none is open, and whose statements are watched."""

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Execute a statement; OperationalError where the patience is at its end."""
        line: PostgresConnection = self.connection
        self._begin(line)
        if line.patience is None:
            super().execute(query, parameters)
            return
        watch.begin(line, line.patience)
        try:
            super().execute(query, parameters)
        finally:
            watch.end(line)

    def executemany(self, query: Any, parameters: Any) -> None:
        """Execute a statement once for each of many parameters."""
        self._begin(self.connection)
        super().executemany(query, parameters)

    def _begin(self, line: PostgresConnection) -> None:
        if line.status == STATUS_READY and not line.autocommit:
            with line.cursor(cursor_factory=_Beginning) as own:
                line.session.begin(own, is_patient=line.is_patient)


class _Beginning(Cursor):
    """What begins a transaction has begun it."""

    def _begin(self, line: PostgresConnection) -> None:
        pass
