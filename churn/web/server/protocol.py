"""The protocol: HTTP read by httptools, with bounds on a request's head and on the time until it is whole."""

import asyncio
import re
import socket
from contextlib import suppress
from typing import ClassVar, Literal, cast

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from churn.i18n import messages, refusal_sentences
from churn.web.headers import header
from churn.web.middleware import security_headers
from churn.web.middleware.error_responses import error_response
from churn.web.request_state import state_of
from churn.web.server.slow_clients import SlowClients

Part = Literal["head", "body"]

MAX_HEAD = 64 * 1024  # bytes of a request that are not its body: line, headers, chunks' sizes, trailers
MAX_HEADERS = 100  # each takes more memory than its bytes; as many trailers
MAX_AHEAD = 64  # requests that are sent before the answer to the first
MAX_IDLE = 1000  # connections that are kept for a next request
CHUNKS = 4  # a body in chunks may have a byte more of that for each so many of its own
HEADERS = {**security_headers.DATA, "Connection": "close"}  # no app has looked at this request yet
_HOST = re.compile(rb"[\w.~%!$&'()*+,;=:\[\]-]*", re.ASCII)  # RFC 3986, with a port


class EndedError(Exception):
    """Ends the parser: a request is not taken. An answer, where one is due, is under way."""


class BoundedProtocol(HttpToolsProtocol):
    """Reads the requests of one connection, and closes it where one is too large or too slow to come.

    While a request is not whole, the connection is among those `waiting`; one that is whole in one read
    never is. Between two requests uvicorn's own time-out runs.
    """

    waiting: ClassVar = SlowClients()  # of the process
    unread: ClassVar = 30_000  # milliseconds for which a client may leave what it was told unread
    idle: ClassVar[dict["BoundedProtocol", None]] = {}  # who may ask again, the longest idle first
    is_ending: ClassVar = False
    farewell: ClassVar = 1.0  # seconds for what is on its way when this server ends

    _besides = 0  # bytes of this request that are not its body
    _brought = 0  # bytes of its body, since the last look
    _begun = False  # some of it is there, not all
    _waits_for: Part | None = None
    _is_over = False  # nothing more is read

    def connection_made(self, transport: object) -> None:
        """Wait for a first request; called by the event loop."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.access_log = False  # uvicorn's would tell paths as they were typed; ours is `access_log`
        _end_unread(self.transport, self.unread)
        self._wait_for("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer; called by the event loop."""
        self._wait_for(None)
        self.idle.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; called by the event loop."""
        if self._is_over:
            return
        self._besides += len(data)
        self.idle.pop(self, None)
        self._unset_keepalive_if_required()
        # As uvicorn does it, but for its line in the log for each request that is malformed.
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400)
        except httptools.HttpParserUpgrade:  # answered as if none had been asked for
            self._stop()  # the parser reads no more, either
            self.cycle.keep_alive = False
        if self._besides > MAX_HEAD or len(self.headers) > MAX_HEADERS:
            self._refuse(431)
        if not self._is_over:
            self._wait_for(self._missing())

    def on_message_begin(self) -> None:
        """Begin a request, at its first byte."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request on, unless its head is too large although it came in few reads.

        Raises:
            EndedError: it is, it does not name one host, or too many before it wait for their turn.
        """
        is_large = self._besides > MAX_HEAD and len(self.url) + _size(self.headers) > MAX_HEAD
        if is_large or len(self.headers) > MAX_HEADERS:
            self._refuse(431)
            raise EndedError
        if not self._names_a_host():
            self._refuse(400)
            raise EndedError
        if len(self.pipeline) >= MAX_AHEAD:  # uvicorn would hold any number of them
            self._refuse(429)  # in effect closes: the answers that are due come first
            raise EndedError
        super().on_headers_complete()
        self.cycle.keep_alive = self.cycle.keep_alive and not self.is_ending
        self.headers = []  # for trailers: the head is the app's, and no proxy has looked at them

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        size = len(body)
        self._brought += size
        self._besides -= size + size // CHUNKS
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Begin to count anew, unless its trailers are too many although they came in one read.

        Raises:
            EndedError: they are.
        """
        if len(self.headers) > MAX_HEADERS:
            self._refuse(431)
            raise EndedError
        self._begun = False
        self._besides = self._brought = 0
        self._wait_for(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin with the next request, or keep the connection for one: who is idle longest makes room."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.idle[self] = None
            if len(self.idle) > MAX_IDLE:
                longest = next(iter(self.idle))
                del self.idle[longest]
                longest.transport.close()

    def shutdown(self) -> None:
        """End once all is answered; what is on its way by now is answered, too. Called by the server."""
        type(self).is_ending = True
        newest = cast("RequestResponseCycle | None", self.cycle)
        if newest is None or newest.response_complete:
            self.loop.call_later(self.farewell, self._end_idle)
        else:
            newest.keep_alive = False

    def _end_idle(self) -> None:
        newest = cast("RequestResponseCycle | None", self.cycle)
        if not self._begun and (newest is None or newest.response_complete):
            self._stop()
            self.transport.close()

    @property
    def is_welcome(self) -> bool:
        """Whether the gate knows who brings the body that is to come, and nothing is answered yet."""
        if self._waits_for != "body" or self.cycle.response_started:
            return False
        return state_of(cast("Scope", self.cycle.scope)).caller.kind != "anonymous"

    def be_late(self) -> None:
        """End a request that takes too long, or let it go on where it is as fast as it may be."""
        part, self._waits_for = self._waits_for, None
        if part == "body" and (self._brought >= self.waiting.share or self._is_held_up()):
            self._brought = 0
            self._wait_for(part)
        elif self.transport.is_closing():
            self.transport.abort()  # it does not read what it was told, either
        elif self._begun:
            self._refuse(408)
        else:  # nothing was asked: some browsers open a connection to spare
            self._stop()
            self.transport.close()

    def make_room(self) -> None:
        """Close at once."""
        self._stop()
        self.transport.abort()

    def _should_upgrade_to_ws(self) -> bool:
        """Take no connection away from these bounds: no WebSocket is served."""
        return False

    def _names_a_host(self) -> bool:
        """Return whether the request says for whom it is: in HTTP/1.1, once (RFC 9112, 3.2)."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1:
            return not hosts and self.parser.get_http_version() != "1.1"
        return _HOST.fullmatch(hosts[0]) is not None

    def _is_held_up(self) -> bool:
        """Return whether it is us who do not read the body yet."""
        return self.flow.read_paused or self.cycle.waiting_for_100_continue

    def _missing(self) -> Part | None:
        """Return what is to come before there is something to answer."""
        newest = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if newest is None:
            return "head"
        if self._begun:
            return "body" if newest.scope is self.scope else "head"
        return "head" if newest.response_complete else None

    def _wait_for(self, part: Part | None) -> None:
        if part == self._waits_for:
            return
        self._waits_for = part
        if part is None:
            self.waiting.end(self)
        else:
            self.waiting.begin(self)

    def _stop(self) -> None:
        self._wait_for(None)
        self._is_over = True

    def _refuse(self, status: int) -> None:
        """End the connection, with an answer where one is due and would not get between others."""
        if self._is_over:
            return
        self._stop()
        newest = cast("RequestResponseCycle | None", self.cycle)
        if self._begun and newest is not None and newest.scope is self.scope:
            self._refuse_body(newest, status)
        elif newest is None or newest.response_complete:
            self._answer(status)
        else:
            newest.keep_alive = False  # what was asked before is answered, and then it is closed

    def _refuse_body(self, cycle: RequestResponseCycle, status: int) -> None:
        if self.pipeline or cycle.response_started:
            self.transport.close()
            return
        self._answer(status)
        state_of(cast("Scope", cycle.scope)).refused = status  # so it is journalled
        # For the app, and at once: it may be reading, and the transport may take its time to close.
        cycle.disconnected = True
        cycle.message_event.set()

    def _answer(self, status: int) -> None:
        scope: Scope = cast("Scope", self.scope) if self._begun else {"headers": []}
        state = state_of(scope)
        language = messages.language_of(header(scope, b"accept-language"))
        response = error_response(status, refusal_sentences.status(status, language), state)
        response.headers.update(HEADERS)
        head = (b"%b: %b\r\n" % pair for pair in response.raw_headers)
        self.transport.write(b"".join([STATUS_LINE[status], *head, b"\r\n", response.body]))
        self.transport.close()


def _end_unread(transport: asyncio.Transport, milliseconds: int) -> None:
    """Have the system end a connection, closed or not, whose client takes nothing of what is sent to it."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        connection = transport.get_extra_info("socket")
        with suppress(OSError):  # lost by now, or no TCP
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)  # with colon, space and line's end
