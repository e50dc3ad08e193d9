"""The gate while the database is away: the environment's own are known, and no more than they were."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text, update

from churn.access.credential_cache import BAD, FRESH, GOOD
from churn.access.identities import ensure_identities, environment_callers
from churn.access.login_throttle import PER_USER
from churn.access.tokens import list_tokens, revoke_token
from churn.access.users import set_active, set_password, set_role
from churn.core.errors import DatabaseError, ForbiddenError, UnauthorizedError
from churn.core.settings import load
from churn.database.tables import tokens
from harness.identities import a_user, basic, bearer
from tests.test_gate import Door, hashed

__all__ = ["hashed"]  # a fixture

NAME, RIGHT, TOKEN = "admin", "a password of the environment", "hV7rWm3TqZ9xKc5LnB2d"


@pytest.fixture
def door(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """Return a gate that knows the environment's user and token, in the database and without."""
    monkeypatch.setenv("API_USERNAME", NAME)
    monkeypatch.setenv("API_PASSWORD", RIGHT)
    monkeypatch.setenv("API_TOKEN", TOKEN)
    ensure_identities(engine, load())
    door = Door(engine, offline=environment_callers(load()))
    yield door
    door.uses.close()


@contextmanager
def away(engine: Engine) -> Iterator[None]:
    """Have the database answer no question about users and tokens."""
    _rename(engine, "{0}", "no_{0}")
    yield
    _rename(engine, "no_{0}", "{0}")


def _rename(engine: Engine, old: str, new: str) -> None:
    with engine.begin() as connection:
        for table in ("users", "tokens"):
            connection.execute(text(f"ALTER TABLE {old.format(table)} RENAME TO {new.format(table)}"))


def test_the_environments_own_are_let_in_and_remembered(
    door: Door, engine: Engine, hashed: list[bytes]
) -> None:
    with away(engine):
        for _ in range(5):
            assert door.call("/predict", basic(NAME, RIGHT)).name == NAME
            assert door.call("/predict", bearer(TOKEN)).kind == "token"
            door.now += FRESH
        for stranger in (basic("marie"), bearer("somebody-elses-0123456789"), bearer(f"{NAME}:{RIGHT}")):
            with pytest.raises(DatabaseError):
                door.call("/predict", stranger)
        assert len(hashed) == 2  # that of the stranger costs as much
    assert [one.caller.name for one in door.recorded] == [NAME]


def test_guesses_cost_as_much_as_ever_wait_and_hold_nobody_back_afterwards(
    door: Door, engine: Engine, hashed: list[bytes]
) -> None:
    a_user(engine, "marie")
    with away(engine):
        for n in range(PER_USER.free + 1):
            with pytest.raises(DatabaseError):
                door.call("/predict", basic(NAME, f"guess number {n}"), client=(f"198.51.100.{n}", 1))
        assert len(hashed) == PER_USER.free + 1
        for _ in range(2):  # the right one, too
            with pytest.raises(DatabaseError):
                door.call("/predict", basic(NAME, RIGHT))
        assert len(hashed) == PER_USER.free + 1
        door.now += 1
        assert door.call("/predict", basic(NAME, RIGHT)).name == NAME
        for n in range(PER_USER.free + 1):
            with pytest.raises(DatabaseError):
                door.call("/predict", basic(NAME, f"another guess, number {n}"))
    for name, password in (("marie", "a wrong password"), (NAME, "guess number 0")):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic(name, password))


def take_away(engine: Engine) -> None:
    with engine.begin() as connection:
        revoke_token(connection, list_tokens(engine)[0].name)
        set_active(connection, NAME, is_active=False)


def change(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(tokens).values(expires_at=list_tokens(engine)[0].created_at))
        set_password(connection, NAME, "another good password")


@pytest.mark.parametrize("taking", [take_away, change])
@pytest.mark.parametrize("is_remembered", [True, False])
def test_whom_the_database_refused_is_not_let_in_without_it(
    door: Door, engine: Engine, taking: Callable[[Engine], None], is_remembered: bool
) -> None:
    both = basic(NAME, RIGHT), bearer(TOKEN)
    if is_remembered:
        for authorization in both:
            door.call("/predict", authorization)
        door.now += FRESH
    taking(engine)
    for authorization in both:
        with pytest.raises(UnauthorizedError):
            door.call("/predict", authorization)
    door.now += BAD
    with away(engine):
        for authorization in both:
            with pytest.raises(DatabaseError):
                door.call("/predict", authorization)


def test_what_they_may_do_is_what_the_database_said_last(door: Door, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(tokens).values(scopes=["history"]))
        set_role(connection, NAME, "operator")
    both = basic(NAME, RIGHT), bearer(TOKEN)
    for authorization in both:
        with pytest.raises(ForbiddenError):
            door.call("/predict", authorization)
    door.now += 2 * GOOD
    with away(engine):
        for authorization in both:
            with pytest.raises(ForbiddenError):
                door.call("/predict", authorization)
