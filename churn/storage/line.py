"""A connection to PostgreSQL: each of its transactions begins as its Session says, each statement is watched.

By the driver's own classes: a listener of SQLAlchemy's to any of an engine's transactions costs every
statement a walk through all that could be listened to.
"""

import os
import socket
from typing import Any

from psycopg2.extensions import STATUS_READY, connection, cursor

from churn.storage.session import Session
from churn.storage.watch import watch


class Line(connection):  # type: ignore[misc]  # psycopg2 has no types
    """A connection whose statements are patient, or not: how long they may take is for its Session to say."""

    def __init__(self, session: Session, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.session = session
        self.is_patient = False
        # A number of its own for the socket: the driver's may be somebody else's by the time that it is cut.
        self._number = os.dup(self.fileno())

    @property
    def patience(self) -> float | None:
        """For how many seconds one statement may keep this end waiting; None is for ever."""
        return None if self.is_patient else self.session.patience

    def cut(self) -> None:
        """End what the connection waits for, and the connection."""
        with socket.socket(fileno=os.dup(self._number)) as line:
            line.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        if hasattr(self, "_number"):
            os.close(self._number)


class _Watched(cursor):  # type: ignore[misc]  # as above
    """A cursor whose statements end in OperationalError where the patience is at its end."""

    def execute(self, query: Any, parameters: Any = None) -> None:
        line: Line = self.connection
        patience = line.patience
        if patience is None:
            super().execute(query, parameters)
            return
        watch.begin(line, patience)
        try:
            super().execute(query, parameters)
        finally:
            watch.end(line)


class Cursor(_Watched):
    """A watched cursor that begins the transaction where none is open."""

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Execute a statement."""
        self._begin()
        super().execute(query, parameters)

    def executemany(self, query: Any, parameters: Any) -> None:
        """Execute a statement once for each of many parameters."""
        self._begin()
        super().executemany(query, parameters)

    def _begin(self) -> None:
        line: Line = self.connection
        if line.status == STATUS_READY and not line.autocommit:
            with line.cursor(cursor_factory=_Watched) as own:
                line.session.begin(own, is_patient=line.is_patient)
