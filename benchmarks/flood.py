"""A flood of wrong passwords, from a process of its own: each connection sends one after the other."""

import base64
import multiprocessing
import secrets
import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import urlsplit


@contextmanager
def flood(url: str, connections: int, addresses: int) -> Iterator[None]:
    """Keep up a flood on a server from some connections, spread over addresses of this machine."""
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_run, args=(url, connections, addresses, begun), daemon=True)
    process.start()
    try:
        if not begun.wait(60):
            raise SystemExit("the flood did not begin")
        yield
    finally:
        process.kill()
        process.join()


def _run(url: str, connections: int, addresses: int, begun: "multiprocessing.synchronize.Event") -> None:
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
