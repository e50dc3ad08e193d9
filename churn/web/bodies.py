"""Bodies: read as they come, each within its limit, and all at once within the memory of a worker."""

from starlette.types import Receive, Scope

from churn.errors import OverloadedError, PayloadTooLargeError, UnfinishedError, UnsupportedMediaError
from churn.web.headers import header

SMALL = 16 * 1024  # bytes that are not worth counting: connections are bounded, too
MAX_HELD = 128 * 1024**2  # bytes of larger bodies that a worker holds at once


class Bodies:
    """Reads bodies of JSON, and counts what is held of the larger ones until it is let go."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, scope: Scope, receive: Receive, limit: int) -> bytes:
        """Return a whole body, held until `let_go`; stops as soon as it is over the limit in bytes.

        Raises:
            UnsupportedMediaError: it is not declared as JSON, or compressed.
            PayloadTooLargeError: it is over the limit, or says so.
            OverloadedError: there is no room for it beside the others.
            UnfinishedError: it does not come whole.
        """
        _check_media(scope)
        declared = header(scope, b"content-length")
        if declared.isdecimal() and int(declared) > limit:
            raise PayloadTooLargeError(limit, "byte")
        chunks: list[bytes] = []
        try:
            await self._fill(chunks, scope, receive, limit)
        except BaseException:
            self._release(sum(map(len, chunks)))
            raise
        return b"".join(chunks)

    def let_go(self, body: bytes) -> None:
        """Count a body no longer."""
        self._release(len(body))

    def _release(self, size: int) -> None:
        if size > SMALL:
            self._held -= size

    async def _fill(self, chunks: list[bytes], scope: Scope, receive: Receive, limit: int) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise UnfinishedError(scope["state"].get("refused"))
            chunk = message.get("body", b"")
            chunks.append(chunk)
            before, size = size, size + len(chunk)
            if size > SMALL:
                self._held += len(chunk) if before > SMALL else size
            if size > limit:
                raise PayloadTooLargeError(limit, "byte")
            if size > SMALL and self._held > MAX_HELD:
                raise OverloadedError("the bodies of other calls take all the memory that is for them")
            more = message.get("more_body", False)


def _check_media(scope: Scope) -> None:
    media = header(scope, b"content-type", "application/json").partition(";")[0].strip().lower()
    is_encoded = any(
        name == b"content-encoding" and value.strip().lower() != b"identity"
        for name, value in scope["headers"]
    )
    if media != "application/json" or is_encoded:
        raise UnsupportedMediaError
