"""What others do to a server while it is measured: from a process of its own, as it costs much."""

import base64
import multiprocessing
import os
import secrets
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import cast
from urllib.parse import urlsplit

from benchmarks import load


@contextmanager
def beside(work: Callable[..., None], *given: object) -> Iterator[None]:
    """Have another process do some work, until it is killed; it is told an event to set when it has begun."""
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=work, args=(begun, *given), daemon=True)
    process.start()
    try:
        if not begun.wait(60):
            raise SystemExit("what is to be done beside did not begin")
        yield
    finally:
        process.kill()
        process.join()


def batches(begun: Event, url: str, message: bytes, clients: int) -> None:
    """Post large batches without end; who does is to take nothing of the server's cores that others want."""
    os.nice(10)
    begun.set()
    while True:
        load.run(url, message, clients=clients, seconds=60.0)


def guesses(begun: Event, url: str, connections: int, addresses: int) -> None:
    """Send wrong passwords without end, by some connections, spread over addresses of this machine."""
    parts = urlsplit(url)
    selector = selectors.DefaultSelector()

    def connect(number: int) -> None:
        source = (f"127.0.2.{1 + number % addresses}", 0)
        connection = socket.create_connection((str(parts.hostname), parts.port), source_address=source)
        selector.register(connection, selectors.EVENT_READ, number)
        connection.sendall(_guess())

    for number in range(connections):
        connect(number)
    begun.set()
    while True:
        for key, _ in selector.select():
            connection = cast("socket.socket", key.fileobj)
            if connection.recv(1 << 16):  # an answer is small: it comes in one part
                connection.sendall(_guess())
            else:
                selector.unregister(connection)
                connection.close()
                connect(key.data)


def _guess() -> bytes:
    """Return a call with a user's wrong password, by a name that nobody has tried."""
    credentials = base64.b64encode(f"{secrets.token_hex(4)}:{secrets.token_hex(8)}".encode()).decode()
    return f"GET /model HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {credentials}\r\n\r\n".encode()
