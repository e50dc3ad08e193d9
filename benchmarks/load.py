"""A closed-loop HTTP load generator that is cheap enough to leave the server its core.

Each client sends its next request when its answer is whole. Sockets and a selector only: on a machine
with two cores, a comfortable HTTP library would take as much of them as the server.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured: seconds of wall clock, and the latency of each answer in seconds, sorted."""

    seconds: float
    latencies: Sequence[float]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        """Return the answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency in seconds that a share of the answers did not exceed."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


def request(url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> bytes:
    """Return a whole request, ready to send again and again."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    headers = {"Content-Type": "application/json", **headers}
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass(slots=True)
class _Client:
    connection: socket.socket
    started: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    wanted: int = 0  # bytes of the whole answer, once its head is there


def run(url: str, message: bytes, *, clients: int, seconds: float, warm_up: float = 0.5) -> Load:
    """Keep `clients` connections busy for some seconds, but until one answers; return what was measured.

    Raises:
        ConnectionError: the server closed a connection.
    """
    parts = urlsplit(url)
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        connection = socket.create_connection((parts.hostname, parts.port or 80))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, _Client(connection))
    now = time.perf_counter()
    for key in selector.get_map().values():
        key.data.started = now
        key.data.connection.sendall(message)
    begin, end = now + warm_up, now + warm_up + seconds
    counted = begin
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    while now < end or not latencies:
        for key, _ in selector.select():
            client: _Client = key.data
            client.received += _received(client.connection)
            if not _is_whole(client):
                continue
            now = time.perf_counter()
            if begin <= now and (now < end or not latencies):
                counted = now
                latencies.append(now - client.started)
                status = int(client.received[9:12])
                statuses[status] = statuses.get(status, 0) + 1
            client.received.clear()
            client.wanted = 0
            client.started = now
            client.connection.sendall(message)
    for key in list(selector.get_map().values()):
        key.data.connection.close()
    selector.close()
    return Load(max(seconds, counted - begin), sorted(latencies), statuses)


def _received(connection: socket.socket) -> bytes:
    found = connection.recv(1 << 17)
    if not found:
        raise ConnectionError("the server closed a connection")
    return found


def _is_whole(client: _Client) -> bool:
    if not client.wanted:
        head = client.received.find(b"\r\n\r\n")
        if head < 0:
            return False
        at = client.received.lower().find(b"content-length:", 0, head) + len(b"content-length:")
        client.wanted = head + 4 + int(client.received[at : client.received.find(b"\r\n", at)])
    return len(client.received) >= client.wanted
