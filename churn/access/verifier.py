"""The verifier: finds who is behind credentials, by the database, or by the environment while it is away."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from churn.access.credentials import Credentials
from churn.access.passwords import NOBODY as NO_HASH
from churn.access.passwords import Matches, matches
from churn.access.tokens import digest, verify_token
from churn.access.users import sign_in, still_in
from churn.core.errors import DatabaseError
from churn.schemas.caller import Caller


@dataclass(frozen=True, slots=True)
class VerifiedCaller:
    """Who it is; of nobody, a caller of the kind `anonymous`, with the name whose password it was not.

    `proof` is a user's password hash, by which the sign-in can be checked again at no cost.
    """

    caller: Caller
    proof: str | None = None

    @property
    def is_good(self) -> bool:
        """Return whether it is somebody."""
        return self.caller.kind != "anonymous"


NOBODY = VerifiedCaller(Caller())


class Verifier:
    """Finds callers. Reads the database and has `matches` check passwords: not for the event loop.

    `offline` has the callers who are known without a database, while it is away, by the digest of their
    credentials' text. What the database says of them meanwhile holds there too: whom it refused is not known.
    """

    def __init__(
        self, engine: Engine, offline: Mapping[bytes, Caller] | None = None, matches: Matches = matches
    ) -> None:
        self._engine, self._matches = engine, matches
        self._offline: dict[bytes, Caller | None] = {**(offline or {})}
        self._has_offline_user = any(caller.kind == "user" for caller in (offline or {}).values())

    def verify(self, credentials: Credentials) -> VerifiedCaller:
        """Return who it is.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        found = self._token(credentials) if credentials.scheme == "bearer" else self._user(credentials)
        return self._noted(credentials, found)

    def verify_offline(self, credentials: Credentials) -> VerifiedCaller:
        """Return who it is as the environment has it; a password takes as long as with the database."""
        if credentials.scheme == "basic" and self._has_offline_user:
            self._matches(credentials.password, NO_HASH)
        return self._known_offline(credentials)

    def verify_again(self, credentials: Credentials, known: VerifiedCaller) -> VerifiedCaller:
        """Return who it is, where `known` was found for the same a few minutes ago; hashes no password.

        Raises:
            DatabaseError: the database cannot be asked, and the environment does not know either.
        """
        user = known.caller
        if user.id is None:
            return self._verify_environment(credentials)
        if credentials.scheme == "bearer":
            return self._noted(credentials, self._token(credentials))
        scopes = still_in(self._engine, user.id, known.proof or "")
        found = NOBODY
        if scopes is not None:
            found = VerifiedCaller(Caller("user", user.id, user.name, scopes), known.proof)
        return self._noted(credentials, found)

    def _verify_environment(self, credentials: Credentials) -> VerifiedCaller:
        """Verify who was known without the database until now, and is as long as it is away: no guess."""
        try:
            return self.verify(credentials)
        except DatabaseError:
            found = self._known_offline(credentials)
            if not found.is_good:
                raise
            return found

    def _known_offline(self, credentials: Credentials) -> VerifiedCaller:
        caller = self._offline.get(digest(credentials.text))
        return NOBODY if caller is None else VerifiedCaller(caller)

    def _noted(self, credentials: Credentials, found: VerifiedCaller) -> VerifiedCaller:
        """Return what the database said, after it is noted of whom the environment knows, too."""
        key = digest(credentials.text)
        if key in self._offline:
            self._offline[key] = replace(found.caller, id=None) if found.is_good else None
        return found

    def _token(self, credentials: Credentials) -> VerifiedCaller:
        token = verify_token(self._engine, credentials.secret)
        return (
            NOBODY if token is None else VerifiedCaller(Caller("token", token.id, token.name, token.scopes))
        )

    def _user(self, credentials: Credentials) -> VerifiedCaller:
        login = sign_in(self._engine, credentials.username, credentials.password, self._matches)
        if login.is_good:
            return VerifiedCaller(Caller("user", login.id, login.name, login.scopes), login.password_hash)
        # A name that nobody has is not kept: people type passwords there.
        return VerifiedCaller(Caller("anonymous", login.id, login.name)) if login.id else NOBODY
