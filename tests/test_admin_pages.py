"""The pages for administrators, and that of the model: what they show, what they change, who may."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from churn.access import sessions, tokens, users
from churn.model.registry import ServedModel
from churn.records.audit_log import events
from churn.records.integrity import verify
from harness.identities import PASSWORD, a_user, bearer
from harness.servers import wait_until
from tests.conftest import Served
from tests.support.browser import Visit, browser
from tests.support.company import EXAMPLE
from tests.support.pages import send, sign_in, token_in, words
from tests.support.site import Site, sqlite_site

__all__ = ["browser", "sqlite_site"]  # fixtures

ADMIN = "/app/admin"


@pytest.fixture
def root(served: Served, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """Return the browser of an administrator who is signed in; what has changed is seen at once."""
    monkeypatch.setattr("churn.access.credential_cache.FRESH", 0.0)
    a_user(served.engine, "root", role="admin")
    a_user(served.engine, "marie")
    del served.client.headers["Authorization"]
    assert sign_in(served.client, "root").status_code == 303
    return served.client


def act(client: TestClient, action: str, **fields: str) -> httpx2.Response:
    return send(client, ADMIN, {"action": action, **fields})


def changes(served: Served) -> list[tuple[str | None, str, dict[str, object]]]:
    since = datetime.now(UTC) - timedelta(hours=1)
    found = events(served.engine, since, kinds=["changed"])
    return [(event.who, event.what, event.detail) for event in reversed(found)]


class TestUsers:
    def test_somebody_is_added_and_can_sign_in(self, root: TestClient, served: Served) -> None:
        answer = act(root, "add-user", name="paul", password="a long password", role="auditor")
        assert "Utilisateur paul ajouté" in words(answer)
        assert [(user.name, user.role) for user in users.list_users(served.engine)][1] == ("paul", "auditor")
        assert sign_in(root, "paul", "a long password").status_code == 303
        assert changes(served) == [("root", "churn user add", {"user": "paul", "role": "auditor"})]

    def test_what_is_done_here_is_sealed_like_the_rest(self, root: TestClient, served: Served) -> None:
        act(root, "disable", name="marie")
        assert not verify(served.engine).findings

    @pytest.mark.parametrize(
        ("fields", "french", "english"),
        [
            ({"name": "marie"}, "il y a déjà un utilisateur", "there is already a user"),
            ({"name": ""}, "un nom d'utilisateur a de 1 à 64", "the user name must have 1 to 64"),
            ({"name": "a\tb"}, "un nom d'utilisateur a de 1 à 64", "the user name must have 1 to 64"),
            ({"password": "short"}, "est trop court", "is too short"),
            ({"password": "changeme"}, "est un exemple", "is a placeholder"),
            ({"role": "king"}, "king", "unknown role"),
        ],
    )
    def test_what_is_refused_is_said_in_the_readers_language(
        self, root: TestClient, served: Served, fields: dict[str, str], french: str, english: str
    ) -> None:
        asked = {"name": "paul", "password": "a long password", "role": "analyst", **fields}
        answer = act(root, "add-user", **asked)
        assert answer.status_code == 409
        assert french in words(answer)
        root.get(f"{ADMIN}?lang=en")
        assert english in words(act(root, "add-user", **asked))
        assert "a long password" not in answer.text
        assert changes(served) == []

    def test_a_disabled_user_is_out_at_once(self, root: TestClient) -> None:
        marie = TestClient(root.app, client=("203.0.113.8", 50000))
        sign_in(marie, "marie")
        assert marie.get("/app/employee", follow_redirects=False).status_code == 200
        act(root, "disable", name="marie")
        assert marie.get("/app/employee", follow_redirects=False).status_code == 303
        act(root, "enable", name="marie")
        assert sign_in(marie, "marie").status_code == 303

    def test_another_password_and_another_role(self, root: TestClient) -> None:
        act(root, "set-password", name="marie", password="another long one")
        act(root, "set-role", name="marie", role="auditor")
        marie = TestClient(root.app, client=("203.0.113.8", 50000))
        assert sign_in(marie, "marie").status_code == 401
        assert sign_in(marie, "marie", "another long one").status_code == 303
        assert marie.get("/app/employee", follow_redirects=False).status_code == 403

    @pytest.mark.parametrize("action", ["disable", "set-role"])
    def test_nobody_takes_their_own_rights_away(self, root: TestClient, action: str) -> None:
        answer = act(root, action, name="root", role="analyst")
        assert answer.status_code == 409
        assert root.get(ADMIN).status_code == 200


class TestTokens:
    def test_a_token_is_shown_once_and_works(self, root: TestClient, served: Served) -> None:
        answer = act(root, "issue-token", name="payroll", days="90", **{"scope-predict": "on"})
        secret = answer.text.split('<code class="secret">')[1].split("<")[0]
        headers = {"Authorization": bearer(secret)}
        assert root.post("/predict", json=EXAMPLE, headers=headers).status_code == 200
        assert root.get("/history", headers=headers).status_code == 403
        assert secret not in root.get(ADMIN).text
        assert changes(served) == [("root", "churn token issue", {"token": "payroll", "scopes": ["predict"]})]
        act(root, "revoke-token", name="payroll")
        assert root.post("/predict", json=EXAMPLE, headers=headers).status_code == 401
        [token] = [token for token in tokens.list_tokens(served.engine) if token.name == "payroll"]
        assert token.state == "revoked"

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": "payroll", "days": "90"},
            {"name": "payroll", "days": "91", "scope-predict": "on"},
            {"name": "", "days": "90", "scope-predict": "on"},
            {"name": "tests", "days": "90", "scope-predict": "on"},
        ],
    )
    def test_what_no_token_can_be_is_refused(
        self, root: TestClient, served: Served, fields: dict[str, str]
    ) -> None:
        assert act(root, "issue-token", **fields).status_code == 409
        assert changes(served) == []


class TestSessions:
    def test_a_session_can_be_ended(self, root: TestClient, served: Served) -> None:
        marie = TestClient(root.app, client=("203.0.113.8", 50000))
        sign_in(marie, "marie")
        [session] = [one for one in sessions.list_sessions(served.engine) if one.username == "marie"]
        answer = act(root, "end-session", id=str(session.id), name="marie")
        assert "Session de marie terminée" in words(answer)
        assert marie.get("/app/employee", follow_redirects=False).status_code == 303

    @pytest.mark.parametrize(
        "fields", [{"action": ""}, {"action": "end-session", "id": "7"}, {"action": "x"}]
    )
    def test_what_no_form_asks_is_refused(self, root: TestClient, fields: dict[str, str]) -> None:
        assert send(root, ADMIN, fields).status_code == 409


def test_a_forged_form_changes_nothing(root: TestClient, served: Served) -> None:
    answer = root.post(ADMIN, data={"action": "disable", "name": "marie"})
    assert answer.status_code == 403
    assert changes(served) == []
    assert all(user.is_active for user in users.list_users(served.engine))


def test_who_is_no_administrator_sees_and_changes_nothing(root: TestClient, served: Served) -> None:
    sign_in(root, "marie")
    token = token_in(root.get("/app/employee"))
    for path in (ADMIN, "/app/admin/audit"):
        assert root.get(path).status_code == 403
    form = {"csrf": token, "action": "set-role", "name": "marie", "role": "admin"}
    assert root.post(ADMIN, data=form).status_code == 403
    assert changes(served) == []


def test_the_audit_log_tells_the_latest_and_can_be_filtered(root: TestClient) -> None:
    sign_in(TestClient(root.app, client=("203.0.113.8", 50000)), "marie", "not the password")
    act(root, "set-role", name="marie", role="auditor")
    everything = words(root.get("/app/admin/audit"))
    assert "churn user role" in everything
    assert "refus (401)" in everything
    changed = words(root.get("/app/admin/audit?kind=changed"))
    assert "churn user role" in changed
    assert "refus (401)" not in changed


def test_the_state_of_the_journal_is_shown(root: TestClient) -> None:
    assert "Base de données présente" in words(root.get(ADMIN))


def test_names_are_shown_as_text(root: TestClient) -> None:
    hostile = "<b>x</b>"
    answer = act(root, "add-user", name=hostile, password=PASSWORD + "!", role="analyst")
    assert answer.status_code == 200
    assert hostile not in answer.text
    assert hostile in words(answer)


class TestModel:
    def test_it_says_how_good_how_fair_and_what_for(self, root: TestClient, model: ServedModel) -> None:
        page = words(root.get("/app/model"))
        for text in (model.tag, "des départs sont signalés", "Est-il équitable", "jamais une décision"):
            assert text in page
        for field in model.fields:
            assert field.label("fr") in page
        assert "Is it fair?" in words(root.get("/app/model?lang=en"))


def test_in_a_browser_somebody_is_let_in_and_shut_out_again(browser: Browser, sqlite_site: Site) -> None:
    with Visit.begin(browser) as visit, Visit.begin(browser) as other:
        page = sqlite_site.open_page(visit, "app/admin", "root")
        page.get_by_label("Name", exact=True).fill("nina")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("status").get_by_text("nina").wait_for()
        ninas = sqlite_site.open_page(other, "app/employee", "nina")
        page.get_by_label("Name of the program").fill("payroll")
        page.get_by_role("button", name="Issue").click()
        secret = page.locator(".secret").inner_text()
        headers = {"Authorization": bearer(secret)}
        answer = httpx2.post(f"{sqlite_site.url}/predict", json=EXAMPLE, headers=headers, timeout=60)
        assert answer.status_code == 200
        page.goto(f"{sqlite_site.url}/app/admin")
        assert secret not in page.content()  # shown once
        page.get_by_role("row", name="nina").get_by_role("button", name="Disable").click()
        page.get_by_role("row", name="nina").get_by_text("disabled").wait_for()

        def is_out() -> bool:  # in either worker
            ninas.goto(f"{sqlite_site.url}/app/model")
            return "sign-in" in ninas.url

        wait_until(lambda: all(is_out() for _ in range(4)))
        page.get_by_role("link", name="Audit log").click()
        page.get_by_role("row", name="churn user add").first.wait_for()
        assert visit.barriers() == []
        sqlite_site.assert_sound(visit)
