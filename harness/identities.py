"""Users and tokens for tests, each made in a transaction of its own."""

import base64
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine

from churn.access import passwords
from churn.access.tokens import issue_token
from churn.access.users import add_user

PASSWORD = "correct horse battery"
QUICK = 4  # bcrypt's minimum of rounds; the stored hash says how many there were


def a_token(engine: Engine, name: str = "tests", **options: Any) -> str:
    """Return the secret of a new token."""
    with engine.begin() as connection:
        return issue_token(connection, name, **options)


def a_user(
    engine: Engine, name: str = "marie", password: str = PASSWORD, *, rounds: int = QUICK, **options: Any
) -> uuid.UUID:
    """Return the key of a new user; `rounds` decide how long it takes to check the password."""
    with engine.begin() as connection, pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "ROUNDS", rounds)
        return add_user(connection, name, password, **options)


def basic(username: str, password: str = PASSWORD) -> str:
    """Return a user's header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def bearer(secret: str) -> str:
    """Return a token's header."""
    return f"Bearer {secret}"
