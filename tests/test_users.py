import bcrypt
import pytest
from sqlalchemy import Engine, select, update

from churn.access.users import User, add_user, count_users, ensure_user, verify_user
from churn.errors import IdentityError
from churn.storage.tables import users

PASSWORD = "correct horse battery"


def test_a_user_is_known_by_name_and_password(engine: Engine) -> None:
    key = add_user(engine, "marie", PASSWORD)
    assert verify_user(engine, "marie", PASSWORD) == User(key, "marie", frozenset({"predict", "history"}))
    assert verify_user(engine, "marie", PASSWORD + " ") is None
    assert verify_user(engine, "Marie", PASSWORD) is None
    assert verify_user(engine, "paul", PASSWORD) is None


def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []
    really_check = bcrypt.checkpw

    def check(password: bytes, stored: bytes) -> bool:
        checked.append(stored)
        return really_check(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    assert verify_user(engine, "nobody", PASSWORD) is None
    assert [stored.split(b"$")[:3] for stored in checked] == [[b"", b"2b", b"12"]]


def test_only_a_bcrypt_hash_is_stored(engine: Engine) -> None:
    add_user(engine, "marie", PASSWORD)
    with engine.connect() as connection:
        row = connection.execute(select(users)).one()
    assert row.password_hash.startswith("$2b$12$")
    assert PASSWORD not in str(row)


def test_a_user_who_is_not_active_is_nobody(engine: Engine) -> None:
    add_user(engine, "marie", PASSWORD)
    with engine.begin() as connection:
        connection.execute(update(users).values(is_active=False))
    assert verify_user(engine, "marie", PASSWORD) is None


def test_a_name_is_taken_once(engine: Engine) -> None:
    add_user(engine, "marie", PASSWORD)
    with pytest.raises(IdentityError, match="there is already a user 'marie'"):
        add_user(engine, "marie", PASSWORD)


@pytest.mark.parametrize("name", ["", "a:b", "x" * 65, "tab\t"])
def test_a_name_that_basic_authentication_cannot_carry_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(IdentityError, match="1 to 64 printable characters and no colon"):
        add_user(engine, name, PASSWORD)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("s3cret", "too short"),
        ("changeme-123", "placeholder"),
        ("motdepasse", "placeholder"),
        ("é" * 37, "too long"),
    ],
)
def test_a_weak_password_is_refused_without_being_repeated(
    engine: Engine, password: str, reason: str
) -> None:
    with pytest.raises(IdentityError, match=reason) as caught:
        add_user(engine, "marie", password)
    assert password not in str(caught.value)


def test_a_password_is_never_cut_to_what_bcrypt_reads(engine: Engine) -> None:
    longest = "a1" * 36
    add_user(engine, "marie", longest)
    assert verify_user(engine, "marie", longest) is not None
    assert verify_user(engine, "marie", longest + "x") is None


def test_ensure_creates_then_keeps_then_replaces(engine: Engine) -> None:
    ensure_user(engine, "marie", PASSWORD)
    first = verify_user(engine, "marie", PASSWORD)
    ensure_user(engine, "marie", PASSWORD)
    ensure_user(engine, "marie", "another good one")
    assert verify_user(engine, "marie", "another good one") == first
    assert verify_user(engine, "marie", PASSWORD) is None
    assert count_users(engine) == 1
