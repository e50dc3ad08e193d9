"""The body reader: in parts, each within its limit, and all at once within the memory of a worker."""

from collections import Counter
from collections.abc import Iterable

from starlette.types import Receive

from churn.core.errors import OverloadedError, PayloadTooLargeError, UnfinishedError, UnsupportedMediaError
from churn.core.memory_file import MemoryFile
from churn.schemas.caller import Caller
from churn.web.request_state import RequestState

Headers = Iterable[tuple[bytes, bytes]]
SMALL = 16 * 1024  # bytes that are not worth counting: connections are bounded, too
MAX_HELD = 128 * 1024**2  # bytes of larger bodies that a worker holds at once
SHARE = 4  # one caller's part of them is a fourth: a whole batch
MAX_EACH = 4  # larger bodies that are held of one caller


class Body:
    """A body as it came, of so many bytes; a larger one is in a file of memory."""

    def __init__(self) -> None:
        self.size = 0
        self.file: MemoryFile | None = None
        self._parts: list[bytes] = []

    def append(self, part: bytes) -> None:
        """Take some more."""
        self.size += len(part)
        self._parts.append(part)
        if self.size > SMALL:
            self.file = self.file or MemoryFile()
            while self._parts:
                self.file.append(self._parts.pop(0))

    def read(self) -> bytes:
        """Return all of it."""
        return b"".join(self._parts) if self.file is None else self.file.read()

    def close(self) -> None:
        """Let go of it."""
        self._parts.clear()
        if self.file is not None:
            self.file.close()


class BodyReader:
    """Reads bodies of JSON, and counts what is held of the larger ones until it is let go.

    Nobody may hold more than a share: the others' are read all the same.
    """

    def __init__(self) -> None:
        self._held = 0
        self._held_of: Counter[Caller] = Counter()  # bytes; none of those who have none
        self._bodies_of: Counter[Caller] = Counter()

    async def read(self, headers: Headers, state: RequestState, receive: Receive, limit: int) -> Body:
        """Return a whole body, held until `let_go`; stops as soon as it is over the limit in bytes.

        Raises:
            UnsupportedMediaError: it is not declared as JSON, or compressed.
            PayloadTooLargeError: it is over the limit, or says so.
            OverloadedError: there is no room for it beside the others.
            UnfinishedError: it does not come whole.
        """
        _check(headers, limit)
        body = Body()
        try:
            await self._fill(body, state, receive, limit)
        except BaseException as error:
            self.let_go(state.caller, body)
            if isinstance(error, OSError):
                raise OverloadedError(f"a body finds no room in memory ({error.strerror})") from error
            raise
        return body

    def let_go(self, caller: Caller, body: Body) -> None:
        """Hold a caller's body no longer."""
        body.close()
        if body.size > SMALL:
            self._held -= body.size
            self._held_of[caller] -= body.size
            self._bodies_of[caller] -= 1
            if not self._bodies_of[caller]:
                del self._held_of[caller], self._bodies_of[caller]

    async def _fill(self, body: Body, state: RequestState, receive: Receive, limit: int) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise UnfinishedError(state.refused)
            part = message.get("body", b"")
            if body.size + len(part) > SMALL:
                self._hold(state.caller, body.size, body.size + len(part))
            body.append(part)
            if body.size > limit:
                raise PayloadTooLargeError(limit, "byte")
            if body.size > SMALL:
                self._check_room(state.caller)
            more = message.get("more_body", False)

    def _hold(self, caller: Caller, before: int, size: int) -> None:
        """Count a body that has grown; as a whole, where it was small."""
        is_new = before <= SMALL
        self._held += size if is_new else size - before
        self._held_of[caller] += size if is_new else size - before
        self._bodies_of[caller] += is_new

    def _check_room(self, caller: Caller) -> None:
        if self._held > MAX_HELD:
            raise OverloadedError("the bodies of other calls take all the memory that is for them")
        if self._held_of[caller] > MAX_HELD // SHARE or self._bodies_of[caller] > MAX_EACH:
            raise OverloadedError("the caller's other bodies take all the memory that is for one caller's")


def _check(headers: Headers, limit: int) -> None:
    """Refuse by the head what is not JSON, or too large; in one pass, as every call comes by here."""
    for name, value in headers:
        if name == b"content-type":
            if (
                value != b"application/json"
                and value.partition(b";")[0].strip().lower() != b"application/json"
            ):
                raise UnsupportedMediaError
        elif name == b"content-encoding":
            if value.strip().lower() != b"identity":
                raise UnsupportedMediaError
        elif name == b"content-length" and value.isdigit() and int(value) > limit:
            raise PayloadTooLargeError(limit, "byte")
