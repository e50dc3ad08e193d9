"""The authenticator: finds callers by their credentials, throttled and cached, off the event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio.to_thread
import orjson

from churn.access.credential_cache import CredentialCache
from churn.access.credentials import Credentials
from churn.access.hashing import Hashing
from churn.access.login_throttle import LoginThrottle
from churn.access.throttle import Clock, Pace, Rate
from churn.access.token_last_used import TokenLastUsed
from churn.access.verifier import NOBODY, VerifiedCaller, Verifier
from churn.core.errors import ChurnError, DatabaseError, TooManyRequestsError, UnauthorizedError
from churn.core.ids import new_id
from churn.journal.call import SIGN_IN, Call
from churn.schemas.caller import Caller

# Refused sign-ins that are answered a second: each costs the event loop half as much as a prediction.
REFUSALS_PER_ADDRESS, REFUSALS_IN_ALL = 10.0, 50.0

RecordCall = Callable[[Call], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Rates:
    """How many calls a second each user and each token may make, in each worker; 0: any number."""

    users: float = 0.0
    tokens: float = 0.0


class Authenticator:
    """Finds the caller behind a header, and limits how often each may call.

    `record` journals that somebody signed in. Users who signed in lately are not held back by others'
    failures.
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
        self._logins = LoginThrottle(clock)
        # Repeats of refused credentials are no new guesses: a program with an old password must not lock out
        # its owner, nor its office.
        self._repeats = LoginThrottle(clock)
        # Attempts while the database is away hold nobody back once it is there again.
        self._offline_logins = LoginThrottle(clock)
        self._rates = {"user": Rate(rates.users, clock), "token": Rate(rates.tokens, clock)}
        self._pace_per_address, self._pace_in_all = Pace(REFUSALS_PER_ADDRESS), Pace(REFUSALS_IN_ALL)
        self._cache = CredentialCache(clock)

    async def authenticate(self, credentials: Credentials | None, address: str) -> Caller:
        """Return the caller who sent credentials from an address; of the kind `anonymous` if they are wrong.

        Refusals are answered at a limited pace, so that a flood of wrong passwords is slow.

        Raises:
            TooManyRequestsError: too many attempts failed lately, by this name or from this address.
            DatabaseError: it does not answer, and neither the cache nor the environment knows the caller.
        """
        try:
            verified = await self._find(credentials, address)
        except TooManyRequestsError:
            await self._await_pace(address)
            raise
        if not verified.is_good:
            await self._await_pace(address)
        return verified.caller

    async def sign_in(self, credentials: Credentials | None, address: str) -> Credentials | None:
        """Begin a session of the user whose password is right, and return its secret; None where it is wrong.

        The password is always hashed, and every sign-in is journalled, refused ones too.

        Raises:
            TooManyRequestsError: too many attempts failed lately, by this name or from this address.
            DatabaseError: it does not answer.
        """
        verified = NOBODY
        try:
            if credentials is not None:
                verified = await self._cache.ask(
                    credentials, lambda known, _: self._ask(credentials, address, known, is_recent=False)
                )
        except TooManyRequestsError as error:
            await self._refuse_sign_in(verified.caller, address, error.status)
            raise
        if not verified.is_good:
            await self._refuse_sign_in(verified.caller, address, UnauthorizedError.status)
            return None
        return await anyio.to_thread.run_sync(self._verifier.open_session, verified.caller)

    async def _refuse_sign_in(self, caller: Caller, address: str, status: int) -> None:
        await self._record(_sign_in(caller, address, status))
        await self._await_pace(address)

    async def sign_out(self, session: Credentials) -> None:
        """End a session; raises DatabaseError where the database does not answer."""
        await anyio.to_thread.run_sync(self._verifier.close_session, session)
        self._cache.forget(session)

    async def _find(self, credentials: Credentials | None, address: str) -> VerifiedCaller:
        if credentials is None:
            return NOBODY
        known = self._cache.fresh(credentials)
        if known is not None:
            return known
        return await self._cache.ask(
            credentials,
            lambda known, is_recent: self._ask(credentials, address, known, is_recent=is_recent),
        )

    async def _await_pace(self, address: str) -> None:
        """Wait until another refusal may be answered: there is a pace for each address, and one for all."""
        await asyncio.sleep(max(self._pace_per_address.take(address), self._pace_in_all.take("")))

    def admit(self, caller: Caller) -> None:
        """Count a call of a known caller.

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
            verified = await anyio.to_thread.run_sync(self._verifier.reverify, credentials, known)
            if verified.is_good:
                return self._used(verified)
        return self._used(await self._verify(credentials, address, is_guess=False))

    async def _verify_throttled(
        self, credentials: Credentials, address: str, *, is_repeat: bool
    ) -> VerifiedCaller:
        """Verify, unless too many attempts have failed; those that succeed do not count."""
        logins, name = (self._repeats, "") if is_repeat else (self._logins, credentials.username)
        if wait := logins.attempt(name, address):
            raise TooManyRequestsError(wait)
        try:
            verified = await self._verify(credentials, address, is_guess=True)
        except ChurnError:  # it was not a wrong password
            logins.take_back(name, address)
            raise
        if verified.is_good:
            logins.forgive(name, address)
        return verified

    async def _verify(self, credentials: Credentials, address: str, *, is_guess: bool) -> VerifiedCaller:
        if credentials.scheme != "basic":
            return await self._verify_now(credentials, address, is_guess=False)
        async with self._hashing.turn(address if is_guess else None):
            verified = await self._verify_now(credentials, address, is_guess=is_guess)
        if verified.is_good:
            self._hashing.forgive(address)
            await self._record(_sign_in(verified.caller, address, 200))
        return verified

    async def _verify_now(self, credentials: Credentials, address: str, *, is_guess: bool) -> VerifiedCaller:
        """Ask the database or, while it is away, the environment.

        Tokens are no guesses: they are too long for that, and programs with an unknown one ask again and
        again.
        """
        try:
            return await anyio.to_thread.run_sync(self._verifier.verify, credentials)
        except DatabaseError:
            name, verified = credentials.username, NOBODY  # as where too many passwords were tried
            if not (is_guess and self._offline_logins.attempt(name, address)):
                verified = await anyio.to_thread.run_sync(self._verifier.verify_offline, credentials)
            if not verified.is_good:
                raise
            if is_guess:
                self._offline_logins.forgive(name, address)
            return verified

    def _used(self, verified: VerifiedCaller) -> VerifiedCaller:
        if verified.caller.kind == "token" and verified.caller.id is not None:
            self._last_used.note(verified.caller.id)
        return verified


def _sign_in(caller: Caller, address: str, status: int) -> Call:
    now = datetime.now(UTC)
    body = orjson.dumps({"address": address})
    return Call(new_id(), now, "AUTH", SIGN_IN, caller, now, status, 0.0, body)
