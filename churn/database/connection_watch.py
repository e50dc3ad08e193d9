"""The watch over connections to PostgreSQL: none keeps a thread waiting for longer than its patience.

The server's own time-outs do not help where a pooler holds a statement back because the server is gone:
PgBouncer does so for two minutes.
"""

import threading
import time
from collections.abc import Hashable
from typing import Protocol

INTERVAL = 1.0  # seconds between two looks


class Watched(Hashable, Protocol):
    """A connection that can be cut."""

    def cut(self) -> None:
        """End the wait, and the connection."""


class Watch:
    """One thread per process, which cuts the connections that have waited too long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[Watched, float] = {}
        self._thread: threading.Thread | None = None

    def begin(self, connection: Watched, patience: float) -> None:
        """Cut a connection after so many seconds, unless `end` is called before."""
        if self._thread is None:
            self._start()
        self._deadlines[connection] = time.monotonic() + patience

    def end(self, connection: Watched) -> None:
        """Stop watching a connection; it is not being cut when this returns."""
        with self._lock:
            self._deadlines.pop(connection, None)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(INTERVAL)
            with self._lock:
                now = time.monotonic()
                for connection, deadline in list(self._deadlines.items()):
                    if deadline < now:
                        del self._deadlines[connection]
                        connection.cut()


watch = Watch()  # of the process
