"""The watch over connections to PostgreSQL: none keeps a thread waiting for longer than its patience.

A server's own time-outs say nothing where a pooler holds a statement back because the server is gone:
PgBouncer does so for two minutes.
"""

import threading
import time
from collections.abc import Hashable
from typing import Protocol

LOOK = 1.0  # seconds between two looks


class Watched(Hashable, Protocol):
    """What can be cut."""

    def cut(self) -> None:
        """End what it waits for."""


class Watch:
    """One thread a process, which cuts what is past its time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Watched, float] = {}
        self._thread: threading.Thread | None = None

    def begin(self, line: Watched, patience: float) -> None:
        """Cut something in so many seconds, unless `end` comes before."""
        if self._thread is None:
            self._start()
        self._until[line] = time.monotonic() + patience

    def end(self, line: Watched) -> None:
        """Let it be; returns once it is not being cut."""
        with self._lock:
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


watch = Watch()  # of the process
