"""Remembered credentials: what was verified a moment ago is not verified again."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from churn.access.verification import Verified
from churn.errors import DatabaseError
from churn.storage.exchanges import Caller

FRESH = 2.0  # seconds for which nobody is asked: so long a revoked token may still be let in
GOOD = 300.0  # seconds for which no password is hashed again, and so long who has signed in
STALE = 300.0  # seconds for which a verification stands while the database cannot be asked
MOST = 10_000  # callers remembered

# Asked with what is remembered of the same credentials, and whether that still needs no password.
Ask = Callable[[str, Verified | None, bool], Awaitable[Verified]]


@dataclass(slots=True)
class _Known:
    verified: Verified
    since: float
    checked: float


class Remembered:
    """Finds callers by what they sent, asking once for all who send the same at the same time.

    Only what was good is remembered, by a digest whose key is this process's own.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._key = os.urandom(32)
        self._known: dict[bytes, _Known] = {}
        self._asked: dict[bytes, asyncio.Task[Verified]] = {}

    async def caller(self, authorization: str) -> Caller:
        """Return the caller behind an `Authorization` header.

        Raises:
            DatabaseError: the database cannot be asked, and the caller is not remembered.
            ChurnError: what asking raises.
        """
        digest = hashlib.blake2b(authorization.encode(), digest_size=32, key=self._key).digest()
        known = self._known.get(digest)
        if known is not None and time.monotonic() - known.checked < FRESH:
            return known.verified.caller
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.create_task(self._check(digest, authorization))
            asked.add_done_callback(lambda _: self._asked.pop(digest, None))
        # Shielded: one of them going away does not end the question of the others.
        return (await asyncio.shield(asked)).caller

    async def _check(self, digest: bytes, authorization: str) -> Verified:
        known, now = self._known.pop(digest, None), time.monotonic()
        is_recent = known is not None and now - known.since < GOOD
        try:
            verified = await self._ask(authorization, known and known.verified, is_recent)
        except DatabaseError:
            if known is None or now - known.checked >= STALE:
                raise
            self._known[digest] = known
            return known.verified
        if verified.is_good:
            since = known.since if known is not None and is_recent else now
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[digest] = _Known(verified, since, now)
        return verified
