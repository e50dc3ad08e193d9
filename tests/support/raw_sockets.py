"""Bytes over the wire: clients that no library would be."""

import json
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE = 60  # seconds that a server may take on a busy machine


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its headers in lower case, its body."""

    status: int
    headers: dict[str, str]
    body: bytes


def connect(url: str) -> socket.socket:
    """Return a new connection to a server."""
    address = urlsplit(url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), PATIENCE)


def received(connection: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection, as it must."""
    data = b""
    try:
        while part := connection.recv(1 << 16):
            data += part
    except ConnectionError:  # it left something unread
        pass
    return data


def answers(data: bytes) -> list[Answer]:
    """Return the answers in what a server has sent; each must be complete, with nothing else in between."""
    parsed = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers["content-length"])
        assert len(rest) >= size, data
        parsed.append(Answer(int(status), headers, rest[:size]))
        data = rest[size:]
    return parsed


def ask(url: str, *parts: bytes) -> list[Answer]:
    """Send the parts one by one, and return the answers until the server closes the connection."""
    with connect(url) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except ConnectionError:  # it has read enough
            pass
        return answers(received(connection))


def is_refusal(answer: Answer) -> bool:
    """Return whether an answer is an error in the one shape."""
    error = json.loads(answer.body)
    return (
        400 <= answer.status < 500
        and set(error) == {"detail", "request_id"}
        and isinstance(error["detail"], str)
        and answer.headers["content-type"] == "application/json"
        and answer.headers["x-request-id"] == error["request_id"]
    )


def is_last(answer: Answer) -> bool:
    """Return whether an answer of the protocol itself ends the connection, and has the security headers."""
    return (
        answer.headers["connection"] == "close"
        and answer.headers["cache-control"] == "no-store"
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
