"""What the audit log tells, of what people and operators really did."""

import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from churn.access import login_throttle
from churn.cli.main import main
from churn.journal import flood_counter
from churn.journal.flood_counter import STORED
from churn.records.integrity import verify
from harness.identities import a_token, a_user, basic, bearer
from tests.conftest import CALLER, Served
from tests.support.company import EXAMPLE

WRONG = "not the password"
HOUR = 3600.0


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no wait and no window end during a test, however slow the machine is."""
    monkeypatch.setattr(
        login_throttle, "PER_USER", replace(login_throttle.PER_USER, first=HOUR, longest=HOUR)
    )
    monkeypatch.setattr(flood_counter, "WINDOW", HOUR)


@pytest.fixture
def database(served: Served) -> Engine:
    """Return the served database: DATABASE_URL names it, for the commands too."""
    return served.engine


def churn(*arguments: str, input: str | None = None) -> Result:
    result = CliRunner().invoke(main, arguments, input=input, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def audit(*options: str) -> list[dict[str, Any]]:
    """Return the events, the oldest first."""
    return [json.loads(line) for line in churn("audit", "--json", *options).stdout.splitlines()][::-1]


def told(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["kind"], event["who"], event["what"], event["status"]


def ask(served: Served, method: str, path: str, authorization: str, **options: Any) -> int:
    headers = {"Authorization": authorization}
    return served.client.request(method, path, headers=headers, **options).status_code


def test_it_tells_who_signed_in_who_was_refused_and_who_read(served: Served, database: Engine) -> None:
    a_user(database, "marie")
    reader = a_token(database, "reader", scopes=["history"])
    assert ask(served, "POST", "/predict", basic("marie"), json=EXAMPLE) == 200
    assert ask(served, "POST", "/predict", basic("marie", WRONG), json=EXAMPLE) == 401
    assert ask(served, "POST", "/predict", basic("nobody", WRONG), json=EXAMPLE) == 401
    assert ask(served, "POST", "/predict", bearer(reader), json=EXAMPLE) == 403
    assert ask(served, "GET", "/history", bearer(reader)) == 200
    found = audit()
    assert [told(event) for event in found] == [
        ("sign-in", "marie", "sign in", 200),
        ("refused", "marie", "/predict", 401),
        ("refused", None, "/predict", 401),
        ("refused", "reader", "/predict", 403),
        ("read", "reader", "/history", 200),
    ]
    assert [event["address"] for event in found] == [CALLER] * 4 + [None]
    assert [event["who_kind"] for event in found[:4]] == ["user", "anonymous", "anonymous", "token"]
    assert [told(event) for event in audit("--kind", "refused", "--limit", "1")] == [told(found[3])]


def test_it_tells_who_changed_users_and_tokens(served: Served, database: Engine) -> None:
    churn("user", "add", "paul", input="correct horse\ncorrect horse\n")
    churn("user", "role", "paul", "admin")
    churn("user", "password", "paul", input="another horse\nanother horse\n")
    churn("user", "disable", "paul")
    churn("token", "issue", "payroll", "--scopes", "predict")
    churn("token", "revoke", "payroll")
    found = audit("--kind", "changed")
    assert [(event["what"], event["detail"]) for event in found] == [
        ("churn user add", {"user": "paul", "role": "analyst"}),
        ("churn user role", {"user": "paul", "role": "admin"}),
        ("churn user password", {"user": "paul"}),
        ("churn user disable", {"user": "paul"}),
        ("churn token issue", {"token": "payroll", "scopes": ["predict"]}),
        ("churn token revoke", {"token": "payroll"}),
    ]
    assert {event["who_kind"] for event in found} == {"operator"}


def test_a_change_that_is_refused_is_no_change_and_none_is_told(database: Engine) -> None:
    assert CliRunner().invoke(main, ["user", "disable", "nobody"]).exit_code == 1
    assert audit() == []


def test_what_it_tells_is_sealed(served: Served, database: Engine) -> None:
    a_user(database, "marie")
    assert ask(served, "GET", "/history", basic("marie")) == 200
    assert ask(served, "GET", "/history", basic("marie", WRONG)) == 401
    churn("token", "issue", "payroll")
    assert not verify(database).findings


def test_a_flood_of_refused_sign_ins_is_counted(served: Served) -> None:
    statuses = [ask(served, "GET", "/history", basic("marie", f"{WRONG} {n}")) for n in range(60)]
    assert statuses.count(401) == 6
    assert statuses.count(429) == 54
    served.client.__exit__()  # what is counted is told when the service ends, or the minute
    found = audit("--kind", "refused")
    assert sum(event["times"] for event in found) == 60
    assert len(found) < 30


def test_a_flood_without_credentials_hides_nobody_who_guesses(served: Served, database: Engine) -> None:
    a_user(database, "marie")
    for _ in range(2 * STORED):
        assert ask(served, "GET", "/history", "") == 401
    assert ask(served, "GET", "/history", basic("nobody", WRONG)) == 401
    assert ask(served, "GET", "/history", basic("marie", WRONG)) == 401
    served.client.__exit__()
    found = audit("--kind", "refused")
    assert sum(event["times"] for event in found) == 2 * STORED + 2
    assert {event["address"] for event in found} == {CALLER}
    counted = [event for event in found if event["times"] > 1]
    assert [(event["who"], event["times"]) for event in counted] == [(None, STORED)]
    assert [event["who"] for event in found if event not in counted][-2:] == [None, "marie"]


def test_a_flood_of_one_users_wrong_passwords_names_the_user(served: Served, database: Engine) -> None:
    a_user(database, "marie")
    a_user(database, "paul")
    for _ in range(2 * STORED):  # always the same: refused again, and no new guess
        assert ask(served, "GET", "/history", basic("marie", WRONG)) == 401
    assert ask(served, "GET", "/history", basic("paul", WRONG)) == 401
    served.client.__exit__()
    found = audit("--kind", "refused")
    assert {(event["who"], event["times"], event["address"]) for event in found} == {
        ("marie", 1, CALLER),
        ("marie", STORED, CALLER),
        ("paul", 1, CALLER),
    }


def test_a_table_is_for_people(served: Served, database: Engine) -> None:
    churn("token", "issue", "payroll")
    output = churn("audit").output
    assert "churn token issue" in output
    assert "payroll" in output


def test_names_are_told_as_they_are(database: Engine) -> None:
    for name in ("[bold]eve[/bold]", "[/]"):
        a_user(database, name)
        assert name in churn("user", "list").output
        churn("user", "disable", name)
        assert name in churn("audit").output
