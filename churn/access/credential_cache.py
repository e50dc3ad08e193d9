"""The credential cache: credentials that were verified a moment ago are not verified again."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from churn.access.credentials import Credentials
from churn.access.throttle import Clock, LatestKeys
from churn.access.verifier import VerifiedCaller
from churn.core.errors import DatabaseError

FRESH = 2.0  # seconds for which the database is not asked: a revoked token may be let in for as long
GOOD = 300.0  # seconds for which a password is not hashed again
BAD = 10.0  # seconds for which refused credentials are refused again, at no cost
STALE = 300.0  # seconds for which a verification holds while the database does not answer

# Called with what is known of the same credentials, and whether a password was hashed not long ago.
Ask = Callable[[VerifiedCaller | None, bool], Awaitable[VerifiedCaller]]


@dataclass(frozen=True, slots=True)
class _Known:
    verified: VerifiedCaller
    since: float
    checked: float


class CredentialCache:
    """Remembers who sent which credentials, and asks once for all who send the same at the same time.

    The key is a digest, keyed by this process, of the credentials themselves rather than of their spelling,
    so that nobody is remembered twice. Refused credentials are kept apart: a flood of them pushes nobody out.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._key = os.urandom(32)
        self._good: LatestKeys[_Known] = LatestKeys()
        self._bad: LatestKeys[_Known] = LatestKeys()
        self._pending: dict[bytes, asyncio.Task[VerifiedCaller]] = {}

    def fresh(self, credentials: Credentials) -> VerifiedCaller | None:
        """Return the caller, where it was verified a moment ago."""
        known = self._find(self._digest(credentials))
        if known is None:
            return None
        lifetime = FRESH if known.verified.is_good else BAD
        return known.verified if self._clock() - known.checked < lifetime else None

    async def ask(self, credentials: Credentials, ask: Ask) -> VerifiedCaller:
        """Return the caller by asking, or from memory where the database does not answer.

        Raises:
            DatabaseError: it does not answer, and nothing is remembered.
            ChurnError: what asking raises.
        """
        digest = self._digest(credentials)
        task = self._pending.get(digest)
        if task is None:
            task = self._pending[digest] = asyncio.create_task(self._check(digest, ask))
            task.add_done_callback(lambda _: self._pending.pop(digest, None))
        # Shielded: a caller that goes away does not cancel the question for the others.
        return await asyncio.shield(task)

    def forget(self, credentials: Credentials) -> None:
        """Forget who sent these credentials: they are no longer valid."""
        self._good.pop(self._digest(credentials), None)

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
        is_same = is_recent and known is not None and known.verified.proof == verified.proof
        self._remember(digest, _Known(verified, known.since if known is not None and is_same else now, now))
        return verified

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._good.pop(digest, None)
        self._bad.pop(digest, None)
        (self._good if known.verified.is_good else self._bad)[digest] = known
