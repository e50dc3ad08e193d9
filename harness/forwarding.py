"""Passing a call on to another server, as proxies and load balancers do."""

import http.client
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

# Those of a single connection (RFC 9110, 7.6.1), and the length, which is told anew.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}

Answer = tuple[http.client.HTTPResponse, bytes]


def ask(handler: BaseHTTPRequestHandler, url: str, path: str, body: bytes) -> Answer:
    """Return the answer of the server at `url` to the call that a handler has, under another path."""
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in _HOP_BY_HOP}
    upstream = http.client.HTTPConnection(urlsplit(url).netloc)
    upstream.request(handler.command, path, body, headers)
    answer = upstream.getresponse()
    content = answer.read()
    upstream.close()
    return answer, content


def body_of(handler: BaseHTTPRequestHandler) -> bytes:
    """Return the body of the call that a handler has."""
    return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


def hand_back(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Give the caller of a handler another server's answer."""
    response, content = answer
    handler.send_response(response.status)
    for name, value in response.getheaders():
        if name.lower() not in _HOP_BY_HOP:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
