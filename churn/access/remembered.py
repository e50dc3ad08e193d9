"""Remembered credentials: what was verified a moment ago is not verified again."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from churn.errors import DatabaseError
from churn.storage.exchanges import Caller

FRESH = 5.0  # seconds for which a verification stands: so long a revoked token may still be let in
STALE = 300.0  # seconds for which it stands while the database cannot be asked
MOST = 10_000  # callers remembered

Verify = Callable[[str], Awaitable[Caller | None]]


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    since: float


class Remembered:
    """Finds callers by what they sent, asking `verify` once for all who send the same at the same time.

    Only what was good is remembered, by a digest whose key is this process's own.
    """

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self._key = os.urandom(32)
        self._known: dict[bytes, _Known] = {}
        self._asked: dict[bytes, asyncio.Task[Caller | None]] = {}

    async def caller(self, authorization: str) -> Caller | None:
        """Return the caller behind an `Authorization` header, or None.

        Raises:
            DatabaseError: the database cannot be asked, and the caller is not remembered.
        """
        digest = hashlib.blake2b(authorization.encode(), digest_size=32, key=self._key).digest()
        known = self._known.get(digest)
        if known is not None and time.monotonic() - known.since < FRESH:
            return known.caller
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.create_task(self._ask(digest, authorization))
            asked.add_done_callback(lambda _: self._asked.pop(digest, None))
        # Shielded: one of them going away does not end the question of the others.
        return await asyncio.shield(asked)

    async def _ask(self, digest: bytes, authorization: str) -> Caller | None:
        known = self._known.pop(digest, None)
        try:
            caller = await self._verify(authorization)
        except DatabaseError:
            if known is None or time.monotonic() - known.since >= STALE:
                raise
            self._known[digest] = known
            return known.caller
        if caller is not None:
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[digest] = _Known(caller, time.monotonic())
        return caller
