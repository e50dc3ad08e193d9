"""The authenticator: finds callers by their credentials, throttled, remembered, off the event loop."""

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
import anyio.to_thread
import orjson

from churn.access.credentials import Credentials, parse
from churn.access.remembered import Remembered
from churn.access.throttle import Backoff, Clock, Patience, Rate
from churn.access.uses import Uses
from churn.access.verification import NOBODY, Verified, Verifier
from churn.errors import DatabaseError, TooManyRequestsError
from churn.storage.audit import SIGN_IN
from churn.storage.exchanges import Caller, Exchange
from churn.storage.ids import new_id

MOST_WAITING = 64  # passwords that wait to be hashed: some ten seconds

# A name's own failures cost its owner a minute at most; an address is likelier one who guesses.
OF_USERS = Patience(free=5, longest=60.0)
OF_ADDRESSES = Patience(free=20, longest=900.0)

Record = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rates:
    """How many calls a second each user and each token may make, in each worker; 0: any number."""

    users: float = 0.0
    tokens: float = 0.0


class Authenticator:
    """Finds the caller behind a header, and lets each call so often.

    `record` journals that somebody signed in. Who has signed in lately is not held back by others' failures.
    """

    def __init__(
        self, verifier: Verifier, uses: Uses, record: Record, rates: Rates, clock: Clock = time.monotonic
    ) -> None:
        self._verifier, self._uses, self._record = verifier, uses, record
        self._users, self._addresses = Backoff(OF_USERS, clock), Backoff(OF_ADDRESSES, clock)
        self._rates = {"user": Rate(rates.users, clock), "token": Rate(rates.tokens, clock)}
        # Hashing a password keeps a core busy: a few at a time, so that tokens need not queue behind.
        self._hashing = anyio.CapacityLimiter(os.cpu_count() or 1)
        self._remembered = Remembered(clock)

    async def authenticate(self, authorization: str, address: str) -> Caller:
        """Return who sent a header from an address; of nobody, a caller of the kind `anonymous`.

        Raises:
            TooManyRequestsError: too many attempts failed lately, by this name or from this address.
            DatabaseError: it cannot be asked, and the caller is neither remembered nor known without.
        """
        known = self._remembered.fresh(authorization)
        if known is not None:
            return known.caller

        async def ask(known: Verified | None, is_recent: bool) -> Verified:
            return await self._ask(authorization, address, known, is_recent=is_recent)

        return (await self._remembered.ask(authorization, ask)).caller

    def admit(self, caller: Caller) -> None:
        """Count a call of somebody known.

        Raises:
            TooManyRequestsError: there were more than the rate allows.
        """
        rate = self._rates.get(caller.kind)
        wait = rate.take(caller.id or caller.name) if rate is not None else 0.0
        if wait:
            raise TooManyRequestsError(wait)

    async def _ask(
        self, authorization: str, address: str, known: Verified | None, *, is_recent: bool
    ) -> Verified:
        credentials = parse(authorization)
        if credentials is None:
            return NOBODY
        if known is not None and known.is_good and is_recent:
            found = await anyio.to_thread.run_sync(self._verifier.verify_again, credentials, known)
            if found.is_good:
                return self._used(found)
        if known is not None:  # no guess: it was right before, or counted as wrong
            return self._used(await self._verify(credentials, address))
        return self._used(await self._verify_throttled(credentials, address))

    async def _verify_throttled(self, credentials: Credentials, address: str) -> Verified:
        """Verify, unless too many attempts have failed; those that succeed count as none."""
        name = credentials.username
        wait = max(self._addresses.wait(address), self._users.wait(name) if name else 0.0)
        if wait:
            raise TooManyRequestsError(wait)
        self._addresses.attempt(address)
        self._users.attempt(name)
        try:
            verified = await self._verify(credentials, address)
        except (DatabaseError, TooManyRequestsError):
            self._addresses.take_back(address)
            self._users.take_back(name)
            raise
        if verified.is_good:
            self._addresses.take_back(address)
            self._users.forgive(name)
        return verified

    async def _verify(self, credentials: Credentials, address: str) -> Verified:
        if credentials.scheme == "bearer":
            return await anyio.to_thread.run_sync(self._verifier.verify, credentials)
        if self._hashing.statistics().tasks_waiting >= MOST_WAITING:
            raise TooManyRequestsError(1.0)
        verified = await anyio.to_thread.run_sync(self._verifier.verify, credentials, limiter=self._hashing)
        if verified.is_good:
            await self._record(_signed_in(verified.caller, address))
        return verified

    def _used(self, verified: Verified) -> Verified:
        if verified.caller.kind == "token" and verified.caller.id is not None:
            self._uses.note(verified.caller.id)
        return verified


def _signed_in(caller: Caller, address: str) -> Exchange:
    now = datetime.now(UTC)
    body = orjson.dumps({"address": address})
    return Exchange(new_id(), now, "AUTH", SIGN_IN, caller, now, 200, 0.0, body)
