"""Verification: who is behind credentials, by the database, or by the environment while it is away."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from churn.access.credentials import Credentials
from churn.access.tokens import digest, verify_token
from churn.access.users import sign_in, still_in
from churn.errors import DatabaseError
from churn.storage.exchanges import Caller


@dataclass(frozen=True, slots=True)
class Verified:
    """Who it is; of nobody, a caller of the kind `anonymous`, with the name whose password it was not.

    `proof` is a user's password hash, by which the sign-in can be checked again at no cost.
    """

    caller: Caller
    proof: str | None = None

    @property
    def is_good(self) -> bool:
        """Return whether it is somebody."""
        return self.caller.kind != "anonymous"


NOBODY = Verified(Caller())


class Verifier:
    """Finds callers. Reads the database and hashes passwords: not for the event loop.

    `offline` has the callers who are known without a database, while it is away, by the digest of their
    token or `user:password`.
    """

    def __init__(self, engine: Engine, offline: Mapping[bytes, Caller] | None = None) -> None:
        self._engine = engine
        self._offline = offline or {}

    def verify(self, credentials: Credentials) -> Verified:
        """Return who it is.

        Raises:
            DatabaseError: the database cannot be asked, and the environment does not know either.
        """
        try:
            return self._token(credentials) if credentials.scheme == "bearer" else self._user(credentials)
        except DatabaseError:
            if caller := self._offline.get(digest(credentials.secret)):
                return Verified(caller)
            raise

    def verify_again(self, credentials: Credentials, known: Verified) -> Verified:
        """Return who it is, where `known` was found for the same a few minutes ago; hashes no password.

        Raises:
            DatabaseError: the database cannot be asked.
        """
        if credentials.scheme == "bearer":
            return self._token(credentials)
        user = known.caller
        if user.id is None or known.proof is None:
            return self.verify(credentials)  # the environment's, known without the database until now
        scopes = still_in(self._engine, user.id, known.proof)
        return NOBODY if scopes is None else Verified(Caller("user", user.id, user.name, scopes), known.proof)

    def _token(self, credentials: Credentials) -> Verified:
        token = verify_token(self._engine, credentials.secret)
        return NOBODY if token is None else Verified(Caller("token", token.id, token.name, token.scopes))

    def _user(self, credentials: Credentials) -> Verified:
        login = sign_in(self._engine, credentials.username, credentials.password)
        if login.is_good:
            return Verified(Caller("user", login.id, login.name, login.scopes), login.password_hash)
        # A name that nobody has is not kept: people type passwords there.
        return Verified(Caller("anonymous", login.id, login.name)) if login.id else NOBODY
