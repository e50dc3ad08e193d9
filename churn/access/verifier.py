"""The verifier: finds the caller behind credentials, by the database or, without it, the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from churn.access.credentials import Credentials
from churn.access.passwords import NOBODY as NO_HASH
from churn.access.passwords import Matches, matches
from churn.access.sessions import close_session, open_session, verify_session
from churn.access.tokens import digest, verify_token
from churn.access.users import recheck, sign_in
from churn.core.errors import DatabaseError
from churn.schemas.caller import Caller


@dataclass(frozen=True, slots=True)
class VerifiedCaller:
    """The caller; one of the kind `anonymous` where the credentials are wrong, named if the user exists.

    `proof` is a user's password hash. As long as it is stored, the sign-in can be checked again at no cost.
    """

    caller: Caller
    proof: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the credentials were right."""
        return self.caller.kind != "anonymous"


NOBODY = VerifiedCaller(Caller())


class Verifier:
    """Finds callers. It reads the database and has `matches` check passwords: keep it off the event loop.

    `offline` maps a digest of credentials to the caller: those who are known while the database is away. What
    the database says of them in the meantime is noted: somebody it refused is no longer known.
    """

    def __init__(
        self, engine: Engine, offline: Mapping[bytes, Caller] | None = None, matches: Matches = matches
    ) -> None:
        self._engine, self._matches = engine, matches
        self._offline: dict[bytes, Caller | None] = {**(offline or {})}
        self._has_offline_user = any(caller.kind == "user" for caller in (offline or {}).values())

    def verify(self, credentials: Credentials) -> VerifiedCaller:
        """Return the caller.

        Raises:
            DatabaseError: the database does not answer.
        """
        verify = {"bearer": self._token, "session": self._session, "basic": self._user}[credentials.scheme]
        return self._noted(credentials, verify(credentials))

    def open_session(self, caller: Caller) -> Credentials:
        """Begin a session of a user who has just given the right password.

        Raises:
            DatabaseError: it does not answer; or the user is known by the environment alone.
        """
        if caller.id is None:
            raise DatabaseError("the database is away: nobody can sign in to the pages until it is back")
        return Credentials("session", open_session(self._engine, caller.id))

    def close_session(self, credentials: Credentials) -> None:
        """End a session.

        Raises:
            DatabaseError: the database does not answer.
        """
        close_session(self._engine, credentials.secret)

    def verify_offline(self, credentials: Credentials) -> VerifiedCaller:
        """Return the caller by the environment; a password takes as long as with the database."""
        if credentials.scheme == "basic" and self._has_offline_user:
            self._matches(credentials.password, NO_HASH)
        return self._known_offline(credentials)

    def reverify(self, credentials: Credentials, known: VerifiedCaller) -> VerifiedCaller:
        """Return the caller where the same credentials were `known` minutes ago; hashes no password.

        Raises:
            DatabaseError: the database does not answer, and the environment does not know the caller either.
        """
        user = known.caller
        if user.id is None:
            return self._verify_environment(credentials)
        if credentials.scheme != "basic":
            return self.verify(credentials)
        scopes = recheck(self._engine, user.id, known.proof or "")
        caller = None if scopes is None else Caller("user", user.id, user.name, scopes)
        return self._noted(credentials, VerifiedCaller(caller, known.proof) if caller else NOBODY)

    def _verify_environment(self, credentials: Credentials) -> VerifiedCaller:
        """Verify a caller that was known without the database, and is for as long as it is away."""
        try:
            return self.verify(credentials)
        except DatabaseError:
            known = self._known_offline(credentials)
            if not known.is_good:
                raise
            return known

    def _known_offline(self, credentials: Credentials) -> VerifiedCaller:
        caller = self._offline.get(digest(credentials.text))
        return NOBODY if caller is None else VerifiedCaller(caller)

    def _noted(self, credentials: Credentials, verified: VerifiedCaller) -> VerifiedCaller:
        """Return what the database said, after noting it where the environment knows the caller too."""
        key = digest(credentials.text)
        if key in self._offline:
            self._offline[key] = replace(verified.caller, id=None) if verified.is_good else None
        return verified

    def _token(self, credentials: Credentials) -> VerifiedCaller:
        caller = verify_token(self._engine, credentials.secret)
        return VerifiedCaller(caller) if caller else NOBODY

    def _session(self, credentials: Credentials) -> VerifiedCaller:
        caller = verify_session(self._engine, credentials.secret)
        return VerifiedCaller(caller) if caller else NOBODY

    def _user(self, credentials: Credentials) -> VerifiedCaller:
        login = sign_in(self._engine, credentials.username, credentials.password, self._matches)
        if login.is_good:
            return VerifiedCaller(Caller("user", login.id, login.name, login.scopes), login.password_hash)
        # A name that nobody has is not kept: people type passwords there.
        return VerifiedCaller(Caller("anonymous", login.id, login.name)) if login.id else NOBODY
