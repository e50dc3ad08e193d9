"""The pages, without scripts: who gets in, what a form does, and what the journal keeps of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from churn.access import login_throttle, sessions
from churn.access.credential_cache import FRESH
from churn.access.throttle import BackoffPolicy
from churn.access.users import set_active, set_password, set_role
from churn.database import tables
from churn.records.audit_log import events
from churn.web.routes import ROUTES
from harness.identities import PASSWORD, a_token, a_user, basic, bearer
from tests.conftest import Served
from tests.support.company import EXAMPLE
from tests.support.pages import resend, send, sign_in, token_in, values_in, words

PAGES = sorted(path for path, route in ROUTES.items() if route.is_page and not route.is_open)
OURS = [path for path in PAGES if path.startswith("/app")]  # Gradio's has tests of its own
FORMS = sorted(
    path for path in OURS if "POST" in ROUTES[path].methods and path in ("/app/employee", "/app/what-if")
)
TYPED = {name: str(value) for name, value in EXAMPLE.items()}
WRONG = "not the password"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the database asked about every call: what has changed is seen at once."""
    monkeypatch.setattr("churn.access.credential_cache.FRESH", 0.0)


@pytest.fixture
def marie(served: Served) -> TestClient:
    """Return the browser of an analyst who is signed in."""
    a_user(served.engine, "marie")
    del served.client.headers["Authorization"]
    assert sign_in(served.client, "marie").status_code == 303
    return served.client


def get(client: TestClient, path: str, **options: Any) -> httpx2.Response:
    return client.get(path, follow_redirects=False, **options)


def journalled(engine: Engine, route: str) -> list[Any]:
    columns = (tables.requests.c.caller_name, tables.api_responses.c.status, tables.api_responses.c.body)
    query = (
        select(*columns)
        .join(tables.api_responses, tables.api_responses.c.request_id == tables.requests.c.id)
        .where(tables.requests.c.route == route)
        .order_by(tables.requests.c.id)
    )
    with engine.connect() as connection:
        return list(connection.execute(query))


class TestWhoGetsIn:
    @pytest.mark.parametrize("path", PAGES)
    def test_nobody_without_a_session(self, served: Served, path: str) -> None:
        a_user(served.engine, "marie")
        root = bearer(a_token(served.engine, "root", scopes=["admin"]))
        for authorization in ("", root, basic("marie")):
            answer = get(served.client, path, headers={"Authorization": authorization})
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("../" * (path.count("/") - 1) or "./")
            assert served.client.get(answer.url.join(answer.headers["Location"])).status_code == 200
            posted = served.client.post(path, headers={"Authorization": authorization}, data={})
            assert posted.status_code == 401
            assert "session" in words(posted)

    @pytest.mark.parametrize("path", PAGES)
    def test_nobody_with_a_session_that_was_made_up(self, served: Served, path: str) -> None:
        served.client.cookies.set("churn_session", "A" * 43)
        assert get(served.client, path).status_code == 303
        assert served.client.post(path, data={}).status_code == 401

    def test_a_part_of_a_page_leads_the_whole_page_to_the_sign_in(self, served: Served) -> None:
        answer = get(served.client, "/app/employee", headers={"HX-Request": "true"})
        assert answer.headers["HX-Redirect"] == "../sign-in?next=app%2Femployee"

    @pytest.mark.parametrize(
        ("role", "opened"),
        [
            (
                "analyst",
                {
                    "/app",
                    "/app/employee",
                    "/app/what-if",
                    "/app/file",
                    "/app/history",
                    "/app/model",
                    "/app/monitoring",
                    "/app/monitoring/outcomes",
                    "/app/monitoring/oversight",
                    "/app/monitoring/report",
                },
            ),
            (
                "auditor",
                {
                    "/app",
                    "/app/history",
                    "/app/model",
                    "/app/monitoring",
                    "/app/monitoring/outcomes",
                    "/app/monitoring/oversight",
                    "/app/monitoring/report",
                },
            ),
            ("operator", set()),
            ("admin", set(OURS)),
        ],
    )
    def test_each_role_opens_what_it_is_for(self, served: Served, role: str, opened: set[str]) -> None:
        a_user(served.engine, "marie", role=role)
        sign_in(served.client, "marie")
        for path in OURS:
            answer = get(served.client, path)
            assert answer.status_code == (403 if path not in opened else 303 if path == "/app" else 200)
            assert path in opened or answer.headers["Content-Type"].startswith("text/html")

    def test_a_session_opens_no_address_of_the_api(self, marie: TestClient) -> None:
        for path, route in ROUTES.items():
            if not (route.is_page or route.is_open):
                assert marie.request(route.methods[0], path).status_code == 401, path


class TestSignIn:
    def test_it_leads_to_the_page_that_was_asked_for(self, served: Served) -> None:
        a_user(served.engine, "marie")
        form = served.client.get("/app/what-if?lang=en")
        assert form.url.path == "/sign-in"
        fields = {"username": "marie", "password": PASSWORD, "next": form.url.params["next"]}
        answer = served.client.post("/sign-in", data={"csrf": token_in(form), **fields})
        assert (answer.status_code, answer.url.path, answer.url.query) == (200, "/app/what-if", b"lang=en")

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/app",
            "//evil.example/app",
            "/app",
            "sign-in",
            "app/../predict",
            "predict",
            "app\\",
        ],
    )
    def test_it_leads_to_no_other_address(self, served: Served, target: str) -> None:
        a_user(served.engine, "marie")
        assert sign_in(served.client, "marie", target=target).headers["Location"] == "app"

    def test_a_wrong_password_says_so_and_keeps_the_name(self, served: Served) -> None:
        a_user(served.engine, "marie")
        answer = sign_in(served.client, "marie", WRONG)
        assert answer.status_code == 401
        assert "Identifiant ou mot de passe incorrect" in words(answer)
        assert 'value="marie"' in answer.text
        assert WRONG not in answer.text
        assert "WWW-Authenticate" not in answer.headers  # the browser would ask by itself

    @pytest.mark.parametrize("name", ["nobody", "", "a:b", "x" * 65, "nul\0"])
    def test_a_name_that_nobody_has_is_answered_likewise(self, served: Served, name: str) -> None:
        assert sign_in(served.client, name, WRONG).status_code == 401

    def test_too_many_attempts_wait(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        a_user(served.engine, "paul")
        monkeypatch.setattr(login_throttle, "PER_USER", BackoffPolicy(free=1, longest=60.0))
        # The throttle in use was made at the start: a name of its own has all its free attempts.
        answers = [sign_in(served.client, "paul", f"{WRONG} {n}").status_code for n in range(8)]
        assert answers[0] == 401
        assert answers[-1] == 429
        assert sign_in(served.client, "paul").status_code == 429  # the right one, too

    def test_the_journal_tells_who_signed_in_and_who_was_refused(self, served: Served) -> None:
        a_user(served.engine, "marie")
        for password in (WRONG, PASSWORD):
            sign_in(served.client, "marie", password)
        found = events(served.engine, datetime.now(UTC) - timedelta(hours=1))
        assert [(event.kind, event.who, event.status) for event in found] == [
            ("sign-in", "marie", 200),
            ("refused", "marie", 401),
        ]
        assert all(event.address for event in found)

    def test_another_session_for_everybody_who_signs_in(self, marie: TestClient, served: Served) -> None:
        a_user(served.engine, "paul")
        first = marie.cookies["churn_session"]
        sign_in(marie, "paul")
        assert marie.cookies["churn_session"] != first
        assert [session.username for session in sessions.list_sessions(served.engine)] == ["paul"]


@pytest.mark.usefixtures("at_once")
class TestTheEndOfASession:
    def test_by_signing_out(self, marie: TestClient) -> None:
        kept = marie.cookies["churn_session"]
        answer = send(marie, "/sign-out", {}, page="/app/employee")
        assert answer.headers["Location"] == "sign-in"
        assert "churn_session" not in marie.cookies
        marie.cookies.set("churn_session", kept)
        assert get(marie, "/app/employee").status_code == 303

    @pytest.mark.parametrize("change", ["disabled", "another password", "idle", "old"])
    def test_by_what_happens_to_its_user(self, marie: TestClient, served: Served, change: str) -> None:
        assert get(marie, "/app/employee").status_code == 200
        now = datetime.now(UTC)
        with served.engine.begin() as connection:
            if change == "disabled":
                set_active(connection, "marie", is_active=False)
            elif change == "another password":
                set_password(connection, "marie", "another good password")
            elif change == "idle":
                before = now - sessions.IDLE - timedelta(seconds=1)
                connection.execute(update(tables.sessions).values(last_used_at=before))
            else:
                before = now - sessions.LONGEST - timedelta(seconds=1)
                connection.execute(update(tables.sessions).values(created_at=before))
        assert get(marie, "/app/employee").status_code == 303

    def test_another_role_counts_at_once(self, marie: TestClient, served: Served) -> None:
        with served.engine.begin() as connection:
            set_role(connection, "marie", "auditor")
        assert get(marie, "/app/employee").status_code == 403

    def test_use_keeps_it_open(self, marie: TestClient, served: Served) -> None:
        before = datetime.now(UTC) - sessions.IDLE + timedelta(seconds=30)
        with served.engine.begin() as connection:
            connection.execute(update(tables.sessions).values(last_used_at=before))
        assert get(marie, "/app/employee").status_code == 200
        [session] = sessions.list_sessions(served.engine)
        assert session.last_used_at > before + timedelta(minutes=30)

    def test_sessions_that_are_over_do_not_pile_up(self, marie: TestClient, served: Served) -> None:
        with served.engine.begin() as connection:
            connection.execute(update(tables.sessions).values(last_used_at=datetime(2026, 1, 1, tzinfo=UTC)))
        sign_in(marie, "marie")
        with served.engine.connect() as connection:
            assert len(connection.execute(select(tables.sessions)).all()) == 1


def test_what_the_cache_remembers_lasts_seconds() -> None:
    assert FRESH <= 5  # "within seconds in every worker": each asks the database anew after that


class TestForgedForms:
    @pytest.mark.parametrize("path", FORMS)
    @pytest.mark.parametrize("token", [None, "", "A" * 43, "é"])
    def test_without_the_token_nothing_is_done_and_nothing_typed_is_lost(
        self, marie: TestClient, served: Served, path: str, token: str | None
    ) -> None:
        fields = TYPED if token is None else {**TYPED, "csrf": token}
        answer = marie.post(path, data=fields)
        assert answer.status_code == 403
        assert 'name="revenu_mensuel" value="2500"' in answer.text
        with served.engine.connect() as connection:
            assert not connection.execute(select(tables.prediction_results)).all()

    @pytest.mark.parametrize("path", [*FORMS, "/sign-in", "/sign-out"])
    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
    )
    def test_another_site_sends_none(self, marie: TestClient, path: str, headers: dict[str, str]) -> None:
        page = "/app/employee" if path == "/sign-out" else path
        fields = {"csrf": token_in(marie.get(page)), **TYPED}
        assert marie.post(path, data=fields, headers=headers).status_code == 403
        assert get(marie, "/app/employee").status_code == 200

    def test_a_form_of_a_former_session_is_shown_again_to_be_sent_once_more(self, marie: TestClient) -> None:
        former = token_in(marie.get("/app/employee"))
        sign_in(marie, "marie")
        shown = marie.post("/app/employee", data={"csrf": former, **TYPED})
        assert shown.status_code == 403
        assert "renvoyez" in words(shown)
        assert resend(marie, shown).status_code == 200


class TestOnePerson:
    def test_the_risk_is_that_of_the_api_and_the_journal_has_it_first(
        self, marie: TestClient, served: Served
    ) -> None:
        answer = send(marie, "/app/employee", TYPED)
        assert answer.status_code == 200
        [(who, status, kept)] = journalled(served.engine, "/app/employee")
        assert (who, status) == ("marie", 200)
        asked = marie.post("/predict", json=EXAMPLE, headers={"Authorization": bearer(served.token)}).json()
        assert kept["probability"] == asked["probability"]
        assert kept["reasons"] == asked["reasons"]
        assert kept["prediction_id"] in answer.text
        assert asked["message"] in words(answer)
        for reason in asked["reasons"]:
            assert reason["text"] in words(answer)

    def test_a_page_that_only_shows_a_form_is_not_journalled(self, marie: TestClient, served: Served) -> None:
        marie.get("/app/employee")
        marie.get("/app/what-if")
        assert not journalled(served.engine, "/app/employee")
        assert not journalled(served.engine, "/app/what-if")

    def test_examples_fill_the_form(self, marie: TestClient) -> None:
        for example, message in (("risk", "Risque de départ élevé"), ("calm", "Employé stable")):
            page = marie.get(f"/app/employee?example={example}")
            assert message in words(resend(marie, page))

    @pytest.mark.parametrize(
        ("typed", "read"), [("2500,5", 2500.5), ("2 500", 2500), ("2 500,50", 2500.5), ("2500.25", 2500.25)]
    )
    def test_numbers_are_read_as_people_write_them(
        self, marie: TestClient, served: Served, typed: str, read: float
    ) -> None:
        assert send(marie, "/app/employee", {**TYPED, "revenu_mensuel": typed}).status_code == 200
        with served.engine.connect() as connection:
            record = connection.execute(select(tables.employee_inputs.c.record)).scalar_one()
        assert record["revenu_mensuel"] == read

    @pytest.mark.parametrize(
        ("field", "typed", "said"),
        [
            ("revenu_mensuel", "", "champ obligatoire"),
            ("revenu_mensuel", "beaucoup", "attendu : un nombre"),
            ("revenu_mensuel", "2.500", "se lit de deux façons"),
            ("revenu_mensuel", "-1", "attendu : un nombre ≥ 0"),
            ("revenu_mensuel", "1e400", "attendu : un nombre"),
            ("annees_dans_l_entreprise", "1,5", "attendu : un entier"),
            ("heure_supplementaires", "Parfois", "attendu : Oui, Non"),
            ("satisfaction_employee_environnement", "9", "attendu : un entier de 1 à 4"),
        ],
    )
    def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
        self, marie: TestClient, served: Served, field: str, typed: str, said: str
    ) -> None:
        fields = {**TYPED, "employee_id": "M-17", field: typed}
        answer = send(marie, "/app/employee", fields)
        assert answer.status_code == 422
        [error] = [part for part in answer.text.split("<p class=") if f'id="{field}-error"' in part]
        assert said in words(httpx2.Response(200, text=error))
        assert {name: value for name, value in values_in(answer).items() if value} == {
            name: value for name, value in fields.items() if value
        }
        [(_, status, kept)] = journalled(served.engine, "/app/employee")
        assert status == 422
        assert not typed or typed not in str(kept["detail"])

    def test_what_may_be_chosen_is_said_as_the_form_says_it(self, marie: TestClient) -> None:
        marie.get("/app/employee?lang=en")
        answer = send(marie, "/app/employee", {**TYPED, "heure_supplementaires": ""})
        assert "required field; expected one of: Yes, No" in words(answer)

    def test_what_was_typed_is_shown_as_text(self, marie: TestClient) -> None:
        hostile = '"><script>alert(1)</script>'
        answer = send(marie, "/app/employee", {**TYPED, "poste": hostile, "revenu_mensuel": hostile})
        assert answer.status_code == 422
        assert "<script>alert" not in answer.text
        assert values_in(answer)["revenu_mensuel"] == hostile

    @pytest.mark.parametrize("body", [b"\xff=\xfe", b"%ff=1", b"&".join([b"a=1"] * 501)])
    def test_a_body_that_is_no_form_is_refused(self, marie: TestClient, body: bytes) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert marie.post("/app/employee", content=body, headers=headers).status_code == 400

    def test_a_form_is_not_endless(self, marie: TestClient) -> None:
        assert marie.post("/app/employee", data={"poste": "x" * 2**16}).status_code == 413

    def test_a_body_of_another_kind_is_refused(self, marie: TestClient) -> None:
        assert marie.post("/app/employee", json=EXAMPLE).status_code == 415


class TestWhatIf:
    def test_changes_move_the_risk_as_the_api_says(self, marie: TestClient, served: Served) -> None:
        first = send(marie, "/app/what-if", TYPED)
        assert first.status_code == 200
        second = resend(marie, first, heure_supplementaires="Non")
        asked = marie.post(
            "/what_if",
            json={"employee": EXAMPLE, "changes": {"heure_supplementaires": "Non"}},
            headers={"Authorization": bearer(served.token)},
        ).json()
        [_, (who, status, document)] = journalled(served.engine, "/app/what-if")
        assert (who, status) == ("marie", 200)
        assert document["difference"] == asked["difference"]
        assert document["after"]["probability"] == asked["after"]["probability"]
        assert asked["message"] in words(second)
        assert "Heures supplémentaires : oui → non" in words(second)

    def test_a_suggestion_can_be_tried(self, marie: TestClient) -> None:
        overworked = {
            "satisfaction_employee_environnement": "4",
            "nombre_participation_pee": "1",
            "distance_domicile_travail": "2",
            "revenu_mensuel": "4000",
        }
        page = send(marie, "/app/what-if", {**TYPED, **overworked})
        assert 'name="apply"' in page.text
        value = page.text.split('name="apply" value="')[1].split('"')[0]
        answer = resend(marie, page, apply=value)
        assert answer.status_code == 200
        assert "→" in words(answer)

    def test_an_optional_field_can_become_unknown(self, marie: TestClient, served: Served) -> None:
        page = send(marie, "/app/what-if", {**TYPED, "poste": "Manager"})
        answer = resend(marie, page, poste="")
        assert answer.status_code == 200
        document = journalled(served.engine, "/app/what-if")[-1][2]
        assert [field["field"] for field in document["difference"]["fields"]] == ["poste"]

    def test_what_is_wrong_is_said_and_nothing_typed_is_lost(self, marie: TestClient) -> None:
        page = send(marie, "/app/what-if", TYPED)
        answer = resend(marie, page, revenu_mensuel="beaucoup")
        assert answer.status_code == 422
        values = values_in(answer)
        assert values["revenu_mensuel"] == "beaucoup"
        assert values["before.revenu_mensuel"] == "2500"


class TestLanguage:
    def test_by_the_browser_and_by_a_switch_that_is_remembered(self, marie: TestClient) -> None:
        assert "One person's risk" in words(marie.get("/app/employee", headers={"Accept-Language": "en-GB"}))
        assert "Le risque d'une personne" in words(marie.get("/app/employee"))
        assert "One person's risk" in words(marie.get("/app/employee?lang=en"))
        assert "What if something changed?" in words(marie.get("/app/what-if"))
        answer = send(marie, "/app/employee", TYPED)
        assert "High risk of leaving" in words(answer)
        assert answer.headers["Content-Language"] == "en"

    def test_french_punctuation_stays_with_its_word(self, marie: TestClient) -> None:
        shown = send(marie, "/app/employee", TYPED).text
        reasons = re.findall(r'<th scope="row">([^<]+ augmente le risque)</th>', shown)
        assert any("\N{NO-BREAK SPACE}:" in reason for reason in reasons)
        assert not any(" :" in reason for reason in reasons)

    def test_the_sign_in_too(self, marie: TestClient) -> None:
        marie.get("/sign-in?lang=en")
        assert "Incorrect username or password" in words(sign_in(marie, "marie", WRONG))

    def test_the_switch_keeps_what_was_asked_and_tells_strangers_nothing_back(
        self, marie: TestClient
    ) -> None:
        page = marie.get("/app/history?user=paul&lang=fr")
        assert 'href="?user=paul&amp;lang=en"' in page.text
        marie.cookies.clear()
        for path in ("/", "/sign-in"):
            assert "paul" not in marie.get(f"{path}?user=paul").text
