"""A load balancer before replicas of the service, for rehearsals: calls go to them in turn."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

from harness.forwarding import ask, body_of, hand_back


class Balancer:
    """Passes each call on to a replica, by a connection of its own; `replicas` may be changed at any time."""

    def __init__(self, replicas: Sequence[str]) -> None:
        self.url = ""
        self._replicas, self._turn = tuple(replicas), count()
        self._changed = threading.Condition()
        self._running: dict[str, int] = {}

    def use(self, *replicas: str) -> None:
        """Pass calls on to these replicas from now on; return once the others have answered theirs."""
        with self._changed:
            self._replicas = replicas
            self._changed.wait_for(
                lambda: not any(self._running[url] for url in self._running if url not in replicas)
            )

    @contextmanager
    def replica(self) -> Iterator[str]:
        """Yield the replica for one call."""
        with self._changed:
            url = self._replicas[next(self._turn) % len(self._replicas)]
            self._running[url] = self._running.get(url, 0) + 1
        try:
            yield url
        finally:
            with self._changed:
                self._running[url] -= 1
                self._changed.notify_all()


@contextmanager
def balanced(*replicas: str) -> Iterator[Balancer]:
    """Yield a balancer that listens on a free port."""
    balancer = Balancer(replicas)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = body_of(self)
            with balancer.replica() as url:
                answer = ask(self, url, self.path, body)
            hand_back(self, answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        balancer.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield balancer
        finally:
            server.shutdown()
