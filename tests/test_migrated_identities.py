"""Users and tokens of revision 0002, after the database was upgraded."""

import secrets
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, inspect

from churn.access.identities import ensure_identities
from churn.access.roles import ROLES
from churn.access.users import list_users, set_active, sign_in
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from harness.identities import PASSWORD, a_token, a_user, basic, bearer
from tests.conftest import Served
from tests.support import identities0002
from tests.support.company import EXAMPLE

# As some keyboards send it: ê in two characters.
DECOMPOSED = unicodedata.normalize("NFD", "une forêt de chênes")
TOKENS = {name: secrets.token_urlsafe(32) for name in ("payroll", "watch", "until", "over", "revoked")}
OWN_TOKEN = secrets.token_urlsafe(18)  # API_TOKEN: an operator's choice

PREDICT, HISTORY, METRICS = ("POST", "/predict"), ("GET", "/history"), ("GET", "/metrics")
EVERYTHING = {PREDICT: 200, HISTORY: 200, METRICS: 403}  # that somebody could do without naming scopes
NOTHING = {PREDICT: 401, HISTORY: 401, METRICS: 401}
REACH = {
    "marie": (basic("marie"), EVERYTHING),
    "zoé": (basic("zoé", DECOMPOSED), EVERYTHING),
    "reader": (basic("reader"), {PREDICT: 403, HISTORY: 200, METRICS: 403}),
    "idle": (basic("idle"), NOTHING),
    "gone": (basic("gone"), NOTHING),
    "payroll": (bearer(TOKENS["payroll"]), EVERYTHING),
    "watch": (bearer(TOKENS["watch"]), {PREDICT: 403, HISTORY: 403, METRICS: 200}),
    "until": (bearer(TOKENS["until"]), EVERYTHING),
    "over": (bearer(TOKENS["over"]), NOTHING),
    "revoked": (bearer(TOKENS["revoked"]), NOTHING),
    "api-token": (bearer(OWN_TOKEN), EVERYTHING),
}


@pytest.fixture
def old(database_url: str) -> Iterator[Engine]:
    """Return an engine on a database at revision 0002, with users and tokens."""
    day, now = timedelta(days=1), datetime.now(UTC)
    with opened(database_url) as engine:
        schema.upgrade(engine, "0002")
        with engine.begin() as connection:
            identities0002.store_user(connection, "marie", PASSWORD)
            identities0002.store_user(connection, "zoé", DECOMPOSED)
            identities0002.store_user(connection, "reader", PASSWORD, ["history"])
            identities0002.store_user(connection, "idle", PASSWORD, [])
            identities0002.store_user(connection, "gone", PASSWORD, is_active=False)
            for name, scopes, ends in (
                ("payroll", identities0002.SCOPES, {}),
                ("watch", ["metrics"], {}),
                ("until", identities0002.SCOPES, {"expires_at": now + day}),
                ("over", identities0002.SCOPES, {"expires_at": now - day}),
                ("revoked", identities0002.SCOPES, {"revoked_at": now - day}),
            ):
                identities0002.store_token(connection, name, TOKENS[name], scopes, **ends)
            identities0002.store_token(connection, "api-token-1", OWN_TOKEN)
        yield engine


@pytest.fixture
def engine(old: Engine) -> Engine:
    """Return the engine that `served` serves with, upgraded."""
    schema.upgrade(old)
    return old


def test_each_reaches_what_it_reached(served: Served) -> None:
    for name, (authorization, expected) in REACH.items():
        headers = {"Authorization": authorization}
        found = {}
        for method, path in expected:
            body = EXAMPLE if method == "POST" else None
            found[method, path] = served.client.request(method, path, json=body, headers=headers).status_code
        assert found == expected, name


def test_the_environments_own_are_known_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("USERNAME", "marie"), ("PASSWORD", PASSWORD), ("TOKEN", OWN_TOKEN)):
        monkeypatch.setenv(f"API_{name}", value)
    schema.downgrade(engine, "0002")
    before = identities0002.contents(engine)
    schema.upgrade(engine)
    ensure_identities(engine, load())
    schema.downgrade(engine, "0002")
    assert identities0002.contents(engine) == before


def test_they_go_down_and_up_again_as_they_were(old: Engine) -> None:
    before = identities0002.contents(old)
    assert len(before) == len(REACH)
    schema.upgrade(old)
    schema.downgrade(old, "0002")
    # Who might do nothing is disabled, and keeps the least of scopes.
    idle = {"scopes": ["metrics"], "is_active": False}
    expected = [row | idle if row.get("username") == "idle" else row for row in before]
    assert identities0002.contents(old) == expected
    assert {column["name"] for column in inspect(old).get_columns("users")} == set(
        identities0002.users.c.keys()
    )
    for table in ("users", "tokens"):
        assert not [column["name"] for column in inspect(old).get_columns(table) if column["default"]]
    schema.upgrade(old)
    assert schema.check(old) == schema.head()


def test_nobody_gains_anything_on_a_way_down_and_up(engine: Engine) -> None:
    for role in ROLES:
        a_user(engine, role, role=role)
    a_token(engine, "all", scopes=("admin", "ui"))
    with engine.begin() as connection:
        set_active(connection, "auditor", is_active=False)
    before = list_users(engine)
    schema.downgrade(engine, "0002")
    scopes = {row["username"]: row["scopes"] for row in identities0002.contents(engine) if "username" in row}
    assert {role: scopes[role] for role in ROLES} == {
        "analyst": ["history", "predict"],
        "auditor": ["history"],
        "operator": ["metrics"],
        "admin": ["admin", "history", "metrics", "predict"],
    }
    schema.upgrade(engine)
    assert list_users(engine) == before
    assert sign_in(engine, "operator", PASSWORD).scopes == {"metrics"}
