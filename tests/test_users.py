import base64
import unicodedata

import bcrypt
import pytest
from sqlalchemy import Engine, select, update

from churn.access.credentials import parse
from churn.access.identities import ensure_user
from churn.access.passwords import ROUNDS
from churn.access.roles import ROLES, allows, scopes_of
from churn.access.users import (
    count_users,
    list_users,
    recheck,
    set_active,
    set_password,
    set_role,
    sign_in,
)
from churn.core.errors import IdentityError
from churn.database.tables import users
from harness.identities import PASSWORD, a_user


def is_in(engine: Engine, name: str, password: str) -> bool:
    return sign_in(engine, name, password).is_good


def test_a_user_is_known_by_name_and_password(engine: Engine) -> None:
    key = a_user(engine, "marie")
    login = sign_in(engine, "marie", PASSWORD)
    assert login.is_good
    assert (login.id, login.name, login.scopes) == (key, "marie", scopes_of("analyst"))
    for name, password in (("marie", PASSWORD + " "), ("Marie", PASSWORD), ("paul", PASSWORD), ("marie", "")):
        assert not is_in(engine, name, password)


def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []
    really_check = bcrypt.checkpw

    def check(password: bytes, stored: bytes) -> bool:
        checked.append(stored)
        return really_check(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    a_user(engine, "gone", rounds=ROUNDS)
    with engine.begin() as connection:
        set_active(connection, "gone", is_active=False)
    for name in ("nobody", "gone"):
        assert not is_in(engine, name, PASSWORD)
    assert [stored.split(b"$")[:3] for stored in checked] == [[b"", b"2b", b"12"]] * 2


def test_only_a_bcrypt_hash_is_stored(engine: Engine) -> None:
    a_user(engine, "marie", rounds=ROUNDS)
    with engine.connect() as connection:
        row = connection.execute(select(users)).one()
    assert row.password_hash.startswith("$2b$12$")
    assert PASSWORD not in str(row)


def test_a_disabled_user_is_nobody_until_enabled_again(engine: Engine) -> None:
    key = a_user(engine, "marie")
    proof = sign_in(engine, "marie", PASSWORD).password_hash
    assert recheck(engine, key, proof) == scopes_of("analyst")
    with engine.begin() as connection:
        set_active(connection, "marie", is_active=False)
    assert not is_in(engine, "marie", PASSWORD)
    assert recheck(engine, key, proof) is None
    assert [one.is_active for one in list_users(engine)] == [False]
    with engine.begin() as connection:
        set_active(connection, "marie", is_active=True)
    assert is_in(engine, "marie", PASSWORD)


def test_a_changed_password_ends_what_the_old_one_began(engine: Engine) -> None:
    key = a_user(engine, "marie")
    proof = sign_in(engine, "marie", PASSWORD).password_hash
    with engine.begin() as connection:
        set_password(connection, "marie", "another good one")
    assert recheck(engine, key, proof) is None
    assert not is_in(engine, "marie", PASSWORD)
    assert is_in(engine, "marie", "another good one")


def test_another_role_holds_at_once(engine: Engine) -> None:
    key = a_user(engine, "marie")
    proof = sign_in(engine, "marie", PASSWORD).password_hash
    with engine.begin() as connection:
        set_role(connection, "marie", "operator")
    assert recheck(engine, key, proof) == scopes_of("operator")
    with pytest.raises(IdentityError, match="unknown role 'king'"), engine.begin() as connection:
        set_role(connection, "marie", "king")


def test_a_role_is_a_list_of_scopes() -> None:
    assert {role for role in ROLES if allows(scopes_of(role), "predict")} == {"analyst", "admin"}
    assert {role for role in ROLES if allows(scopes_of(role), "history")} == {"analyst", "auditor", "admin"}
    assert {role for role in ROLES if allows(scopes_of(role), "metrics")} == {"operator", "admin"}
    assert not allows(scopes_of("of another version"), "predict")


def test_who_is_not_there_cannot_be_changed(engine: Engine) -> None:
    with engine.begin() as connection:
        for change in (
            lambda: set_password(connection, "paul", PASSWORD),
            lambda: set_active(connection, "paul", is_active=False),
            lambda: set_role(connection, "paul", "admin"),
        ):
            with pytest.raises(IdentityError, match="there is no user 'paul'"):
                change()  # type: ignore[no-untyped-call]


def test_a_name_is_taken_once(engine: Engine) -> None:
    a_user(engine, "marie")
    with pytest.raises(IdentityError, match="there is already a user 'marie'"):
        a_user(engine, "marie")


@pytest.mark.parametrize("name", ["", "a:b", "x" * 65, "tab\t"])
def test_a_name_that_basic_authentication_cannot_carry_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(IdentityError, match="1 to 64 printable characters and no colon"):
        a_user(engine, name)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("s3cret", "too short"),
        ("changeme-123", "placeholder"),
        ("motdepasse", "placeholder"),
        ("é" * 513, "too long"),
        ("correct\0horse", "no sign-in can send"),
        ("correct \udcff horse", "no sign-in can send"),
    ],
)
def test_a_weak_password_is_refused_without_being_repeated(
    engine: Engine, password: str, reason: str
) -> None:
    with pytest.raises(IdentityError, match=reason) as caught:
        a_user(engine, "marie", password)
    assert password not in str(caught.value)


@pytest.mark.parametrize("length", [71, 72, 73, 100, 1024])
def test_every_byte_of_a_long_password_counts(engine: Engine, length: int) -> None:
    password = ("a1" * 512)[:length]
    a_user(engine, "marie", password)
    assert is_in(engine, "marie", password)
    assert not is_in(engine, "marie", password[:-1] + "x")
    assert not is_in(engine, "marie", password + "x")
    assert not is_in(engine, "marie", password[:-1])


def test_a_letter_is_the_same_however_a_keyboard_composes_it(engine: Engine) -> None:
    password = "mot de passe à l'été"
    a_user(engine, "marie", unicodedata.normalize("NFD", password))
    assert is_in(engine, "marie", unicodedata.normalize("NFC", password))


@pytest.mark.parametrize(("stored", "typed"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_name_is_the_same_however_a_keyboard_composes_it(engine: Engine, stored: str, typed: str) -> None:
    name, other = (unicodedata.normalize(form, "chloé") for form in (stored, typed))  # type: ignore[arg-type]
    a_user(engine, name, PASSWORD)
    with pytest.raises(IdentityError, match="there is already a user"):
        a_user(engine, other, PASSWORD)
    assert [user.name for user in list_users(engine)] == ["chloé"]
    sent = base64.b64encode(f"{other}:{PASSWORD}".encode()).decode()
    found = parse(f"Basic {sent}")
    assert found is not None
    assert is_in(engine, found.username, found.password)
    with engine.begin() as connection:
        set_active(connection, other, is_active=False)
    assert not is_in(engine, name, PASSWORD)


def test_a_name_that_was_stored_as_it_was_typed_is_found(engine: Engine) -> None:
    a_user(engine, "chloé", PASSWORD)
    old = unicodedata.normalize("NFD", "chloé")
    with engine.begin() as connection:
        connection.execute(update(users).values(username=old))
    ensure_user(engine, "chloé", "another good one")
    assert count_users(engine) == 1
    assert is_in(engine, "chloé", "another good one")
    assert is_in(engine, old, "another good one")


def test_ensure_creates_then_keeps_then_replaces(engine: Engine) -> None:
    ensure_user(engine, "marie", PASSWORD)
    first = sign_in(engine, "marie", PASSWORD)
    assert first.scopes == {"admin"}
    ensure_user(engine, "marie", PASSWORD)
    assert sign_in(engine, "marie", PASSWORD) == first
    ensure_user(engine, "marie", "another good one")
    assert sign_in(engine, "marie", "another good one").id == first.id
    assert not is_in(engine, "marie", PASSWORD)
    assert count_users(engine) == 1
