"""What goes over the wire, byte by byte: clients that no library would be."""

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


def heard(connection: socket.socket) -> bytes:
    """Return all that the server says until it closes the connection, which it must."""
    said = b""
    try:
        while part := connection.recv(1 << 16):
            said += part
    except ConnectionError:  # it left something unread
        pass
    return said


def answers(said: bytes) -> list[Answer]:
    """Return the answers in what a server said; each must be whole, and nothing else be there."""
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers["content-length"])
        assert len(rest) >= size, said
        found.append(Answer(int(status), headers, rest[:size]))
        said = rest[size:]
    return found


def ask(url: str, *parts: bytes) -> list[Answer]:
    """Send the parts one by one, and return the answers until the server closes the connection."""
    with connect(url) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except ConnectionError:  # it has heard enough
            pass
        return answers(heard(connection))


def is_refusal(answer: Answer) -> bool:
    """Return whether an answer is an error in the one shape, and not to be kept anywhere."""
    said = json.loads(answer.body)
    return (
        400 <= answer.status < 500
        and set(said) == {"detail", "request_id"}
        and isinstance(said["detail"], str)
        and answer.headers["content-type"] == "application/json"
        and answer.headers["x-request-id"] == said["request_id"]
    )


def is_last(answer: Answer) -> bool:
    """Return whether an answer of the protocol's own ends the connection, and is safe by itself."""
    return (
        answer.headers["connection"] == "close"
        and answer.headers["cache-control"] == "no-store"
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    )
