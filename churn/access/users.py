"""Users: a name and a bcrypt hash, for people who sign in with HTTP Basic."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import bcrypt
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from churn.errors import IdentityError
from churn.settings import check_password
from churn.storage.ids import new_id
from churn.storage.schema import explained
from churn.storage.tables import users

ROUNDS = 12  # 2**12 iterations: about a quarter of a second on a laptop
DEFAULT_SCOPES = ("predict", "history")

# The hash of a random text that nobody kept: checked where the name is unknown, so that a wrong
# name takes as long as a wrong password.
_NOBODY = b"$2b$12$NqsZFtF0B0SawKOykoW11esycZXrzGn1FjbmXAUUS2.CGs7h1TwSG"


def add_user(
    engine: Engine, username: str, password: str, *, scopes: tuple[str, ...] = DEFAULT_SCOPES
) -> uuid.UUID:
    """Create a user and return its key.

    Raises:
        IdentityError: the name is taken or malformed, or the password too weak.
        DatabaseError: the database does not answer.
    """
    _check(username, password)
    user_id = new_id()
    row = {
        "id": user_id,
        "username": username,
        "password_hash": hash_password(password),
        "scopes": list(scopes),
        "is_active": True,
        "created_at": datetime.now(UTC),
    }
    with explained(engine), engine.begin() as connection:
        try:
            connection.execute(insert(users), row)
        except IntegrityError as error:
            raise IdentityError(f"there is already a user {username!r}: choose another name") from error
    return user_id


def ensure_user(engine: Engine, username: str, password: str) -> None:
    """Make a user exist with this password: created, or the password replaced.

    Raises:
        IdentityError, DatabaseError: as `add_user`.
    """
    _check(username, password)
    with explained(engine), engine.connect() as connection:
        found = connection.execute(select(users.c.password_hash).where(users.c.username == username)).scalar()
    if found is None:
        add_user(engine, username, password)
    elif not bcrypt.checkpw(password.encode(), found.encode()):
        with explained(engine), engine.begin() as connection:
            connection.execute(
                update(users)
                .where(users.c.username == username)
                .values(password_hash=hash_password(password))
            )


@dataclass(frozen=True, slots=True)
class User:
    """A user as the gate knows one."""

    id: uuid.UUID
    name: str
    scopes: frozenset[str]


def verify_user(engine: Engine, username: str, password: str) -> User | None:
    """Return the active user whose name and password these are, else None.

    Takes about a quarter of a second: call it off the event loop.

    Raises:
        DatabaseError: the database does not answer.
    """
    query = select(users.c.id, users.c.password_hash, users.c.scopes).where(
        users.c.username == username, users.c.is_active
    )
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    stored = _NOBODY if row is None else row.password_hash.encode()
    # bcrypt refuses longer input; nobody's password is that long.
    matches = bcrypt.checkpw(password.encode()[:72], stored) and len(password.encode()) <= 72
    return User(row.id, username, frozenset(row.scopes)) if row is not None and matches else None


def hash_password(password: str) -> str:
    """Return the bcrypt hash of a password."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()


def count_users(engine: Engine) -> int:
    """Return how many users there are."""
    with explained(engine), engine.connect() as connection:
        return len(connection.execute(select(users.c.id)).all())


def _check(username: str, password: str) -> None:
    if not 0 < len(username) <= 64 or ":" in username or not username.isprintable():
        raise IdentityError("the user name must have 1 to 64 printable characters and no colon")
    try:
        check_password(password)
    except ValueError as error:
        raise IdentityError(f"the password {error}") from error
