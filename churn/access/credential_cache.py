"""The credential cache: what was verified a moment ago is not verified again."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from churn.access.credentials import Credentials
from churn.access.throttle import Clock
from churn.access.verifier import VerifiedCaller
from churn.core.errors import DatabaseError

FRESH = 2.0  # seconds for which nobody is asked: so long a revoked token may still be let in
GOOD = 300.0  # seconds for which no password is hashed again
BAD = 10.0  # seconds for which what was refused is refused again, at no cost
STALE = 300.0  # seconds for which a verification stands while the database cannot be asked
MOST = 10_000  # remembered, of each sort

# Asked with what is remembered of the same credentials, and whether a password was hashed not long ago.
Ask = Callable[[VerifiedCaller | None, bool], Awaitable[VerifiedCaller]]


@dataclass(frozen=True, slots=True)
class _Known:
    verified: VerifiedCaller
    since: float
    checked: float


class CredentialCache:
    """Remembers who was behind which credentials, asking once for all who send the same at the same time.

    By a digest whose key is this process's own: of what was sent, not of how it was spelt, so that nobody can
    be remembered twice. What was refused is remembered too, apart, so that a flood
    of it pushes nobody out.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._key = os.urandom(32)
        self._good: dict[bytes, _Known] = {}
        self._bad: dict[bytes, _Known] = {}
        self._asked: dict[bytes, asyncio.Task[VerifiedCaller]] = {}

    def fresh(self, credentials: Credentials) -> VerifiedCaller | None:
        """Return who it is, where that was asked a moment ago."""
        known = self._find(self._digest(credentials))
        if known is None:
            return None
        lasts = FRESH if known.verified.is_good else BAD
        return known.verified if self._clock() - known.checked < lasts else None

    async def ask(self, credentials: Credentials, ask: Ask) -> VerifiedCaller:
        """Return who it is, by asking; what is remembered, where the database cannot be asked.

        Raises:
            DatabaseError: it cannot be asked, and nothing is remembered.
            ChurnError: what asking raises.
        """
        digest = self._digest(credentials)
        asked = self._asked.get(digest)
        if asked is None:
            asked = self._asked[digest] = asyncio.create_task(self._check(digest, ask))
            asked.add_done_callback(lambda _: self._asked.pop(digest, None))
        # Shielded: one of them going away does not end the question of the others.
        return await asyncio.shield(asked)

    def _digest(self, credentials: Credentials) -> bytes:
        return hashlib.blake2b(credentials.text.encode(), digest_size=32, key=self._key).digest()

    def _find(self, digest: bytes) -> _Known | None:
        return self._good.get(digest) or self._bad.get(digest)

    async def _check(self, digest: bytes, ask: Ask) -> VerifiedCaller:
        known, now = self._find(digest), self._clock()
        is_recent = known is not None and now - known.since < GOOD
        try:
            verified = await ask(known.verified if known else None, is_recent)
        except DatabaseError:
            if known is None or not known.verified.is_good or now - known.checked >= STALE:
                raise
            return known.verified
        same = is_recent and known is not None and known.verified.proof == verified.proof
        self._keep(digest, _Known(verified, known.since if known is not None and same else now, now))
        return verified

    def _keep(self, digest: bytes, known: _Known) -> None:
        for kept in (self._good, self._bad):
            kept.pop(digest, None)
        kept = self._good if known.verified.is_good else self._bad
        while len(kept) >= MOST:
            del kept[next(iter(kept))]
        kept[digest] = known
