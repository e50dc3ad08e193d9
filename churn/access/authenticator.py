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
from churn.access.guesses import Guesses
from churn.access.remembered import Remembered
from churn.access.throttle import Clock, Rate
from churn.access.uses import Uses
from churn.access.verification import NOBODY, Verified, Verifier
from churn.errors import ChurnError, DatabaseError, TooManyRequestsError
from churn.storage.audit import SIGN_IN
from churn.storage.exchanges import Caller, Exchange
from churn.storage.ids import new_id

MOST_WAITING = 64  # passwords that wait to be hashed: some ten seconds

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
        # Repeats of what was refused are no new guesses at a name: a program with an old password shall not
        # lock its owner out, nor its office. What is tried on the environment while the database is away
        # holds nobody back once it is there again.
        self._guesses, self._repeats, self._tries_offline = Guesses(clock), Guesses(clock), Guesses(clock)
        self._rates = {"user": Rate(rates.users, clock), "token": Rate(rates.tokens, clock)}
        # Hashing a password keeps a core busy: a few at a time, so that tokens need not queue behind.
        self._hashing = anyio.CapacityLimiter(_cores())
        self._remembered = Remembered(clock)

    async def authenticate(self, authorization: str, address: str) -> Caller:
        """Return who sent a header from an address; of nobody, a caller of the kind `anonymous`.

        Raises:
            TooManyRequestsError: too many attempts failed lately, by this name or from this address.
            DatabaseError: it cannot be asked, and the caller is neither remembered nor known without.
        """
        credentials = parse(authorization)
        if credentials is None:
            return NOBODY.caller
        known = self._remembered.fresh(credentials)
        if known is not None:
            return known.caller

        async def ask(known: Verified | None, is_recent: bool) -> Verified:
            return await self._ask(credentials, address, known, is_recent=is_recent)

        return (await self._remembered.ask(credentials, ask)).caller

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
        self, credentials: Credentials, address: str, known: Verified | None, *, is_recent: bool
    ) -> Verified:
        if known is None or not known.is_good:
            is_repeat = known is not None
            return self._used(await self._verify_throttled(credentials, address, is_repeat=is_repeat))
        if is_recent:
            found = await anyio.to_thread.run_sync(self._verifier.verify_again, credentials, known)
            if found.is_good:
                return self._used(found)
        return self._used(await self._verify(credentials, address, is_guess=False))

    async def _verify_throttled(self, credentials: Credentials, address: str, *, is_repeat: bool) -> Verified:
        """Verify, unless too many attempts have failed; those that succeed count as none."""
        guesses, name = (self._repeats, "") if is_repeat else (self._guesses, credentials.username)
        if wait := guesses.attempt(name, address):
            raise TooManyRequestsError(wait)
        try:
            verified = await self._verify(credentials, address, is_guess=True)
        except ChurnError:  # whatever it was, it was no wrong password
            guesses.take_back(name, address)
            raise
        if verified.is_good:
            guesses.forgive(name, address)
        return verified

    async def _verify(self, credentials: Credentials, address: str, *, is_guess: bool) -> Verified:
        is_password = credentials.scheme == "basic"
        if is_password and self._hashing.statistics().tasks_waiting >= MOST_WAITING:
            raise TooManyRequestsError(1.0)
        limiter = self._hashing if is_password else None
        try:
            verified = await anyio.to_thread.run_sync(self._verifier.verify, credentials, limiter=limiter)
        except DatabaseError:
            verified = await self._verify_offline(credentials, address, limiter, is_guess=is_guess)
            if not verified.is_good:
                raise
        if verified.is_good and is_password:
            await self._record(_signed_in(verified.caller, address))
        return verified

    async def _verify_offline(
        self, credentials: Credentials, address: str, limiter: anyio.CapacityLimiter | None, *, is_guess: bool
    ) -> Verified:
        """Ask the environment, while the database is away; nobody where too many passwords were tried on it.

        Tokens are too long to be guessed, and programs whose own are not known by now ask again and again.
        """
        name, is_counted = credentials.username, is_guess and limiter is not None
        if is_counted and self._tries_offline.attempt(name, address):
            return NOBODY
        verified = await anyio.to_thread.run_sync(self._verifier.verify_offline, credentials, limiter=limiter)
        if verified.is_good and is_counted:
            self._tries_offline.forgive(name, address)
        return verified

    def _used(self, verified: Verified) -> Verified:
        if verified.caller.kind == "token" and verified.caller.id is not None:
            self._uses.note(verified.caller.id)
        return verified


def _cores() -> int:
    """Return how many cores this process may use: in a container, fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _signed_in(caller: Caller, address: str) -> Exchange:
    now = datetime.now(UTC)
    body = orjson.dumps({"address": address})
    return Exchange(new_id(), now, "AUTH", SIGN_IN, caller, now, 200, 0.0, body)
