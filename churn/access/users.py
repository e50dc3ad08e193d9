"""Users: a name, a role and a bcrypt hash, for people who sign in, with HTTP Basic or to the pages.

The functions that take an engine raise DatabaseError where the database does not answer. Those that make or
change a user raise IdentityError where there is no such user, or the name, role or password cannot be
accepted.
"""

import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from churn.access.credentials import LONGEST_NAME, composed
from churn.access.passwords import NOBODY, Matches, hash_password, matches
from churn.access.roles import ROLES, Role, scopes_of
from churn.access.sessions import close_sessions_of
from churn.core.errors import IdentityError
from churn.core.ids import new_id
from churn.core.settings import PasswordError, check_password
from churn.database.schema import explained
from churn.database.tables import users

DEFAULT_ROLE: Role = "analyst"


@dataclass(frozen=True, slots=True)
class User:
    """A user as an operator sees one."""

    name: str
    role: str
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Login:
    """How a sign-in went: `id` is None where nobody has the name, `is_good` says if the password was right.

    `password_hash` is what it was checked against: the sign-in is valid as long as it is stored.
    """

    id: uuid.UUID | None
    name: str
    scopes: frozenset[str]
    password_hash: str
    is_good: bool


def add_user(connection: Connection, username: str, password: str, *, role: str = DEFAULT_ROLE) -> uuid.UUID:
    """Create a user and return its key."""
    check_user(username, password, role)
    taken = IdentityError(
        f"there is already a user {username!r}: choose another name",
        f"il y a déjà un utilisateur {username!r} : choisir un autre nom",
    )
    if find_user(connection, username) is not None:
        raise taken
    row = {
        "id": new_id(),
        "username": composed(username),
        "password_hash": hash_password(password),
        "role": role,
        "is_active": True,
        "created_at": datetime.now(UTC),
    }
    try:
        connection.execute(insert(users), row)
    except IntegrityError as error:  # another process was faster
        raise taken from error
    return row["id"]  # type: ignore[return-value]


def set_password(connection: Connection, username: str, password: str) -> None:
    """Replace a user's password, and end the user's sessions."""
    _check_password(password)
    user_id = _change(connection, username, password_hash=hash_password(password))
    close_sessions_of(connection, user_id)


def set_active(connection: Connection, username: str, *, is_active: bool) -> None:
    """Enable or disable a user."""
    _change(connection, username, is_active=is_active)


def set_role(connection: Connection, username: str, role: str) -> None:
    """Give a user another role."""
    _check_role(role)
    _change(connection, username, role=role)


def list_users(engine: Engine) -> Sequence[User]:
    """Return all users, by name."""
    query = select(users.c.username, users.c.role, users.c.is_active, users.c.created_at)
    with explained(engine), engine.connect() as connection:
        return [User(*row) for row in connection.execute(query.order_by(users.c.username))]


def count_users(engine: Engine) -> int:
    """Return how many users there are, disabled ones included."""
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(users)).scalar_one()


def find_user(connection: Connection, username: str) -> Row[Any] | None:
    """Return the row of the user with this name, however its accents are encoded.

    New names are stored composed (NFC), those of older versions as they were typed.
    """
    name = composed(username)
    forms = (name, unicodedata.normalize("NFD", name))
    query = select(users).where(users.c.username.in_(forms)).order_by(users.c.username != name)
    return connection.execute(query.limit(1)).one_or_none()


def sign_in(engine: Engine, username: str, password: str, matches: Matches = matches) -> Login:
    """Check a name and a password with `matches`; an unknown name takes as long as a wrong password.

    Takes about a quarter of a second: call it off the event loop.
    """
    with explained(engine), engine.connect() as connection:
        row = find_user(connection, username)
    if row is None:
        matches(password, NOBODY)
        return Login(None, username, frozenset(), NOBODY, is_good=False)
    is_good = matches(password, row.password_hash) and row.is_active
    return Login(row.id, row.username, scopes_of(row.role), row.password_hash, is_good)


def recheck(engine: Engine, user_id: uuid.UUID, password_hash: str) -> frozenset[str] | None:
    """Return the scopes of a user who signed in before; None if disabled since, or the password changed."""
    query = select(users.c.role).where(
        users.c.id == user_id, users.c.is_active, users.c.password_hash == password_hash
    )
    with explained(engine), engine.connect() as connection:
        role = connection.execute(query).scalar()
    return None if role is None else scopes_of(role)


def check_user(username: str, password: str, role: str) -> None:
    """Accept values that a user can be made of."""
    if not 0 < len(composed(username)) <= LONGEST_NAME or ":" in username or not username.isprintable():
        raise IdentityError(
            f"the user name must have 1 to {LONGEST_NAME} printable characters and no colon",
            f"un nom d'utilisateur a de 1 à {LONGEST_NAME} caractères visibles, et pas de deux-points",
        )
    _check_role(role)
    _check_password(password)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise IdentityError(f"unknown role {role!r}: expected one of {', '.join(ROLES)}")


def _check_password(password: str) -> None:
    try:
        check_password(password)
    except PasswordError as error:
        raise IdentityError(f"the password {error}", f"le mot de passe {error.french}") from error


def _change(connection: Connection, username: str, **values: Any) -> uuid.UUID:
    """Change a user and return its key."""
    user = find_user(connection, username)
    if user is None:
        raise IdentityError(
            f"there is no user {username!r}: `churn user list` has them all",
            f"il n'y a pas d'utilisateur {username!r}",
        )
    connection.execute(update(users).where(users.c.id == user.id).values(**values))
    key: uuid.UUID = user.id
    return key
