"""The authenticator: finds callers by their credentials, throttled, remembered, off the event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio.to_thread
import orjson

from churn.access.credential_cache import CredentialCache
from churn.access.credentials import Credentials, parse
from churn.access.hashing import Hashing
from churn.access.login_throttle import LoginThrottle
from churn.access.throttle import Clock, Pace, Rate
from churn.access.token_last_used import TokenLastUsed
from churn.access.verifier import NOBODY, VerifiedCaller, Verifier
from churn.core.errors import ChurnError, DatabaseError, TooManyRequestsError
from churn.core.ids import new_id
from churn.journal.call import SIGN_IN, Call
from churn.schemas.caller import Caller

# How many refused sign-ins are answered a second: each costs the event loop half as much as a prediction.
OF_ADDRESS, OF_ALL = 10.0, 50.0

RecordCall = Callable[[Call], Awaitable[None]]


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
        self,
        verifier: Verifier,
        hashing: Hashing,
        last_used: TokenLastUsed,
        record: RecordCall,
        rates: Rates,
        clock: Clock = time.monotonic,
    ) -> None:
        self._verifier, self._hashing, self._last_used, self._record = verifier, hashing, last_used, record
        # Repeats of what was refused are no new guesses at a name: a program with an old password shall not
        # lock its owner out, nor its office. What is tried on the environment while the database is away
        # holds nobody back once it is there again.
        self._logins, self._repeats, self._tries_offline = (
            LoginThrottle(clock),
            LoginThrottle(clock),
            LoginThrottle(clock),
        )
        self._rates = {"user": Rate(rates.users, clock), "token": Rate(rates.tokens, clock)}
        self._pace_of_address, self._pace_of_all = Pace(OF_ADDRESS), Pace(OF_ALL)
        self._cache = CredentialCache(clock)

    async def authenticate(self, authorization: str, address: str) -> Caller:
        """Return who sent a header from an address; of nobody, a caller of the kind `anonymous`.

        Who is refused is told so when it is their turn: a flood of wrong passwords is a slow one.

        Raises:
            TooManyRequestsError: too many attempts failed lately, by this name or from this address.
            DatabaseError: it cannot be asked, and the caller is neither remembered nor known without.
        """
        try:
            verified = await self._find(parse(authorization), address)
        except TooManyRequestsError:
            await self._await_pace(address)
            raise
        if not verified.is_good:
            await self._await_pace(address)
        return verified.caller

    async def _find(self, credentials: Credentials | None, address: str) -> VerifiedCaller:
        if credentials is None:
            return NOBODY
        known = self._cache.fresh(credentials)
        if known is not None:
            return known

        async def ask(known: VerifiedCaller | None, is_recent: bool) -> VerifiedCaller:
            return await self._ask(credentials, address, known, is_recent=is_recent)

        return await self._cache.ask(credentials, ask)

    async def _await_pace(self, address: str) -> None:
        """Wait until another refusal may be told: those of one address, and of all, are so many a second."""
        await asyncio.sleep(max(self._pace_of_address.take(address), self._pace_of_all.take("")))

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
        self, credentials: Credentials, address: str, known: VerifiedCaller | None, *, is_recent: bool
    ) -> VerifiedCaller:
        if known is None or not known.is_good:
            is_repeat = known is not None
            return self._used(await self._verify_throttled(credentials, address, is_repeat=is_repeat))
        if is_recent:
            found = await anyio.to_thread.run_sync(self._verifier.verify_again, credentials, known)
            if found.is_good:
                return self._used(found)
        return self._used(await self._verify(credentials, address, is_guess=False))

    async def _verify_throttled(
        self, credentials: Credentials, address: str, *, is_repeat: bool
    ) -> VerifiedCaller:
        """Verify, unless too many attempts have failed; those that succeed count as none."""
        logins, name = (self._repeats, "") if is_repeat else (self._logins, credentials.username)
        if wait := logins.attempt(name, address):
            raise TooManyRequestsError(wait)
        try:
            verified = await self._verify(credentials, address, is_guess=True)
        except ChurnError:  # whatever it was, it was no wrong password
            logins.take_back(name, address)
            raise
        if verified.is_good:
            logins.forgive(name, address)
        return verified

    async def _verify(self, credentials: Credentials, address: str, *, is_guess: bool) -> VerifiedCaller:
        if credentials.scheme == "bearer":
            return await self._verify_now(credentials, address, is_guess=False)
        async with self._hashing.turn(address if is_guess else None):
            verified = await self._verify_now(credentials, address, is_guess=is_guess)
        if verified.is_good:
            self._hashing.forgive(address)
            await self._record(_signed_in(verified.caller, address))
        return verified

    async def _verify_now(self, credentials: Credentials, address: str, *, is_guess: bool) -> VerifiedCaller:
        """Ask the database or, while it is away, the environment.

        Tokens are too long to be guessed, and programs whose own are not known by now ask again and again.
        """
        try:
            return await anyio.to_thread.run_sync(self._verifier.verify, credentials)
        except DatabaseError:
            name, verified = credentials.username, NOBODY  # nobody where too many passwords were tried
            if not (is_guess and self._tries_offline.attempt(name, address)):
                verified = await anyio.to_thread.run_sync(self._verifier.verify_offline, credentials)
            if not verified.is_good:
                raise
            if is_guess:
                self._tries_offline.forgive(name, address)
            return verified

    def _used(self, verified: VerifiedCaller) -> VerifiedCaller:
        if verified.caller.kind == "token" and verified.caller.id is not None:
            self._last_used.note(verified.caller.id)
        return verified


def _signed_in(caller: Caller, address: str) -> Call:
    now = datetime.now(UTC)
    body = orjson.dumps({"address": address})
    return Call(new_id(), now, "AUTH", SIGN_IN, caller, now, 200, 0.0, body)
