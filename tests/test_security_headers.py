"""What every answer tells browsers, and the page that they may show."""

import json
import re

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from churn.core.errors import SettingsError
from churn.core.settings import load
from tests.conftest import Served
from tests.support.company import EXAMPLE

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
ANSWERS = [
    ("GET", "/health", 200),
    ("GET", "/livez", 200),
    ("GET", "/model", 200),
    ("GET", "/metrics", 200),
    ("GET", "/history", 200),
    ("POST", "/predict", 422),
    ("GET", "/nowhere", 404),
    ("PUT", "/health", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_is_data_that_no_browser_runs_frames_or_keeps(
    served: Served, method: str, path: str, status: int
) -> None:
    response = served.client.request(method, path)
    assert response.status_code == status
    assert {name: response.headers[name] for name in ALWAYS} == ALWAYS
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "Set-Cookie" not in response.headers


def test_so_is_an_answer_that_the_journal_refused(served_strictly: Served) -> None:
    with served_strictly.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE requests RENAME TO gone")
    response = served_strictly.client.post("/predict", json=EXAMPLE)
    assert response.status_code == 503
    assert response.headers["Cache-Control"] == "no-store"


def test_behind_tls_browsers_are_told_to_stay_there(served: Served) -> None:
    assert "Strict-Transport-Security" not in served.client.get("/health").headers
    behind_tls = served.client.get("https://testserver/health")
    assert behind_tls.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
@pytest.mark.parametrize("path", ["/predict", "/health", "/"])
def test_no_other_site_is_let_read_an_answer(served: Served, method: str, path: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    response = served.client.request(method, path, headers=headers)
    assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_FRAME_ANCESTORS", "https://intranet.example.com  https://*.example.org")


class TestLanding:
    """`/`, which anyone may see."""

    def test_it_is_in_the_browsers_language_and_can_be_switched(self, served: Served, app: ASGIApp) -> None:
        anyone = TestClient(app)
        french = anyone.get("/")
        english = anyone.get("/", headers={"Accept-Language": "en-GB,en;q=0.9,fr;q=0.5"})
        assert (french.headers["Content-Language"], english.headers["Content-Language"]) == ("fr", "en")
        assert '<html lang="fr">' in french.text
        assert "A first call" in english.text
        assert anyone.get("/?lang=xx").text == french.text
        assert anyone.get("/?lang=en").text == english.text
        assert anyone.get("/").text == english.text  # it is remembered

    def test_its_policy_lets_in_what_is_ours_alone(self, served: Served) -> None:
        response = served.client.get("/")
        assert response.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
        )
        assert not re.findall(r"<style|<script>|\sstyle=|\son\w+=|https?:|//", response.text)

    def test_the_call_that_it_shows_is_answered(self, served: Served) -> None:
        page = served.client.get("/").text.replace("&#34;", '"').replace("&#39;", "'")
        [body] = re.findall(r"-d '(.*?)'</code>", page, re.DOTALL)
        assert json.loads(body) == EXAMPLE
        assert served.client.post("/predict", json=json.loads(body)).status_code == 200

    def test_every_address_that_it_links_to_is_open(self, served: Served, app: ASGIApp) -> None:
        links = re.findall(r'<a (?:class="[^"]*" )?href="([^"?#]+)"', served.client.get("/").text)
        assert len(links) >= 3
        assert {TestClient(app).get(f"/{link}").status_code for link in links} == {200}

    @pytest.mark.usefixtures("framed")
    def test_those_who_may_frame_it_are_configured(self, served: Served) -> None:
        policy = served.client.get("/").headers["Content-Security-Policy"]
        assert policy.endswith("frame-ancestors 'self' https://intranet.example.com https://*.example.org")


def test_on_a_space_its_site_may_frame_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().frame_ancestors == ()
    monkeypatch.setenv("SPACE_ID", "someone/churn")
    assert load().frame_ancestors == ("https://huggingface.co",)
    monkeypatch.setenv("CHURN_FRAME_ANCESTORS", "https://intranet.example.com")
    assert load().frame_ancestors == ("https://intranet.example.com",)


@pytest.mark.parametrize("value", ["*", "example.com", "https://a.example; script-src *", "javascript:x"])
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CHURN_FRAME_ANCESTORS", value)
    with pytest.raises(SettingsError, match=r"CHURN_FRAME_ANCESTORS: expected origins like https://"):
        load()
