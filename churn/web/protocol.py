"""The protocol: HTTP read by httptools, which knows no bound on a request's head, with a bound."""

from typing import cast

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD = 64 * 1024  # bytes of a request that are not its body: line, headers, chunks' sizes, trailers
CHUNKS = 4  # a body in chunks may have a byte more of that for each so many of its own


class BoundedProtocol(HttpToolsProtocol):
    """Reads the requests of one connection, and closes it where one has too much besides its body.

    What comes whole in one read (some 256 KiB) is let through: it is memory that is spent by then.
    """

    _besides = 0

    def data_received(self, data: bytes) -> None:
        """Read on; called by the event loop."""
        self._besides += len(data)
        super().data_received(data)
        if self._besides > MAX_HEAD and not self.transport.is_closing():
            self._refuse()

    def on_body(self, body: bytes) -> None:
        """Pass a part of the body on."""
        self._besides -= len(body) + len(body) // CHUNKS
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Begin to count anew."""
        self._besides = 0
        super().on_message_complete()

    def _refuse(self) -> None:
        newest = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        if newest is None or newest.response_complete:
            self.send_400_response("The request's head is too large.")
        else:
            self.transport.close()  # a request is being answered, and that would get between


def use_bounded_protocol() -> None:
    """Have uvicorn read HTTP this way: BentoML starts it, and lets nobody choose."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedProtocol.__name__}"
