"""The watch over connections to PostgreSQL: none keeps a thread waiting for longer than its patience.

A server's own time-outs say nothing where a pooler holds a statement back because the server is gone:
PgBouncer does so for two minutes.
"""

import os
import socket
import threading
import time
from typing import Any

from psycopg2.extensions import connection, cursor

LOOK = 1.0  # seconds between two looks


class Line(connection):  # type: ignore[misc]  # psycopg2 has no types
    """A connection with a `patience` in seconds for each of its statements; None is for ever."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.patience: float | None = None
        # A number of its own for the socket: the driver's may be somebody else's by the time that it is cut.
        self._number = os.dup(self.fileno())

    def cut(self) -> None:
        """End what the connection waits for, and the connection."""
        with socket.socket(fileno=os.dup(self._number)) as line:
            line.shutdown(socket.SHUT_RDWR)

    def __del__(self) -> None:
        if hasattr(self, "_number"):
            os.close(self._number)


class Cursor(cursor):  # type: ignore[misc]  # psycopg2 has no types
    """A cursor of a Line, whose statements are watched."""

    def execute(self, query: Any, parameters: Any = None) -> None:
        """Execute a statement; OperationalError where the patience is at its end."""
        line: Line = self.connection
        if line.patience is None:
            super().execute(query, parameters)
            return
        _WATCH.begin(line, line.patience)
        try:
            super().execute(query, parameters)
        finally:
            _WATCH.end(line)


class _Watch:
    """One thread a process, which cuts the lines that are past their time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Line, float] = {}
        self._thread: threading.Thread | None = None

    def begin(self, line: Line, patience: float) -> None:
        if self._thread is None:
            self._start()
        self._until[line] = time.monotonic() + patience

    def end(self, line: Line) -> None:
        with self._lock:  # not while it is being cut
            self._until.pop(line, None)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(LOOK)
            with self._lock:
                now = time.monotonic()
                for line in [line for line, until in list(self._until.items()) if until < now]:
                    del self._until[line]
                    line.cut()


_WATCH = _Watch()
