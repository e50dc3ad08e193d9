"""The pages of the history, without scripts and in a real browser: lists, one prediction, reviews, print."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import httpx2
import pytest
from playwright.sync_api import Browser
from sqlalchemy import select
from starlette.testclient import TestClient

from churn.cli.main import main
from churn.core.language import LANGUAGES
from churn.database.tables import api_responses, requests, reviews
from churn.i18n import review_sentences
from churn.journal.entry import entry_of
from churn.journal.writer import Writer
from churn.model.registry import ServedModel
from churn.schemas.caller import Caller
from churn.schemas.identifier import LONGEST_IDENTIFIER
from churn.schemas.review import ACTIONS, LONGEST_COMMENT, VERDICTS
from harness.identities import PASSWORD, a_user, bearer
from harness.servers import Server, bentoml_serve, environment, home_beside
from tests.conftest import Served
from tests.support.browser import WIDTHS, Visit, browser
from tests.support.calls import make_call, scored
from tests.support.company import EXAMPLE
from tests.support.pages import send, sign_in, token_in, words
from tests.support.predictions import erase, run

__all__ = ["browser"]  # a fixture

TOKEN = "hV7rWm3TqZ9xKc5LnB2d"
HOSTILE = '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(2)>\n\u202eline two'


@pytest.fixture
def marie(served: Served) -> TestClient:
    """Return the browser of an analyst who is signed in."""
    a_user(served.engine, "marie")
    del served.client.headers["Authorization"]
    sign_in(served.client, "marie")
    return served.client


def predicted(served: Served, employee: object = "E-1", **changes: Any) -> str:
    """Return the id of a new prediction, by a token."""
    body = {**EXAMPLE, "employee_id": employee, **changes}
    headers = {"Authorization": bearer(served.token)}
    return str(served.client.post("/predict", json=body, headers=headers).json()["prediction_id"])


def listed(client: TestClient, **query: str) -> list[str]:
    """Return the ids of the predictions on a page of the list."""
    page = client.get("/app/history", params=query)
    assert page.status_code == 200, words(page)
    return [part.partition('"')[0] for part in page.text.split('<a href="history/')[1:]]


def add(client: TestClient, key: str, **fields: str) -> httpx2.Response:
    page = f"/app/history/{key}"
    return send(client, f"{page}/review", {"verdict": "disagree", **fields}, page)


class TestTheList:
    def test_it_shows_everybodys_the_newest_first(self, served: Served, marie: TestClient) -> None:
        keys = [predicted(served, f"E-{n}") for n in range(3)]
        assert listed(marie) == keys[::-1]
        text = words(marie.get("/app/history?lang=en"))
        assert "E-0" in text
        assert "tests" in text
        assert "UTC" in text

    def test_filters_let_through_what_those_of_the_api_do(self, served: Served, marie: TestClient) -> None:
        keys = [predicted(served, "E-1"), predicted(served, "E-2")]
        send(marie, "/app/employee", {name: str(value) for name, value in EXAMPLE.items()})
        [hers] = [key for key in listed(marie) if key not in keys]
        today = datetime.now(UTC).date()
        assert listed(marie, employee_id=" E-2 ") == [keys[1]]
        assert listed(marie, user="tests") == keys[::-1]
        assert listed(marie, user="marie") == listed(marie, mine="1") == [hers]
        assert listed(marie, model="churn:none") == []
        assert sorted(listed(marie, prediction="0") + listed(marie, prediction="1")) == sorted([*keys, hers])
        assert listed(marie, since=str(today + timedelta(days=2))) == []
        assert listed(marie, until=str(today - timedelta(days=2))) == []
        # The last day is included.
        assert len(listed(marie, since=str(today - timedelta(days=1)), until=str(today))) == 3

    def test_pages_follow_each_other_with_the_filters(self, served: Served, marie: TestClient) -> None:
        many = [{**EXAMPLE, "employee_id": "E-7"}] * 120
        headers = {"Authorization": bearer(served.token)}
        answers = served.client.post("/predict_batch", json=many, headers=headers).json()
        predicted(served, "somebody else")
        found, address = [], "/app/history?employee_id=E-7"
        while address:
            page = marie.get(address)
            found += [part.partition('"')[0] for part in page.text.split('<a href="history/')[1:]]
            following = page.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
            address = following and f"/app/{following}"
        assert found == sorted((one["prediction_id"] for one in answers), reverse=True)
        assert "Retour aux plus récentes" in words(page)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
        self, marie: TestClient, language: str
    ) -> None:
        query = {"lang": language, "since": "yesterday", "user": "x" * 200, "employee_id": "E-1"}
        page = marie.get("/app/history", params=query)
        assert page.status_code == 422
        for name, value in query.items():
            assert name == "lang" or f'value="{value}"' in page.text
        assert 'id="since-error"' in page.text
        assert 'id="user-error"' in page.text
        assert ("expected" in words(page)) == (language == "en")

    @pytest.mark.parametrize("until", ["9999-12-31", "2026-02-30", "0000-00-00"])
    def test_any_day_is_answered(self, marie: TestClient, until: str) -> None:
        assert marie.get("/app/history", params={"until": until}).status_code in (200, 422)

    def test_an_address_that_is_none_says_so(self, marie: TestClient) -> None:
        page = marie.get("/app/history?before=nothing")
        assert (page.status_code, "L'adresse de cette page" in words(page)) == (422, True)

    def test_a_reading_is_logged_without_what_was_told(self, served: Served, marie: TestClient) -> None:
        key = predicted(served, "E-secret")
        marie.get("/app/history?employee_id=E-secret")
        marie.get(f"/app/history/{key}")
        with served.engine.connect() as connection:
            joined = select(requests.c.route, requests.c.caller_name, api_responses.c.body).join(
                api_responses, api_responses.c.request_id == requests.c.id
            )
            found = connection.execute(joined.where(requests.c.route.startswith("/app/history"))).all()
        assert sorted(tuple(row) for row in found) == [
            ("/app/history", "marie", None), ("/app/history/{id}", "marie", None),
        ]  # fmt: skip
        told = run(main, "audit", "--kind", "read", "--json").output
        assert "/app/history/{id}" in told

    def test_those_of_one_caller_are_theirs_and_no_namesakes(self, served: Served, marie: TestClient) -> None:
        calls = [make_call(scored(7)) for _ in range(3)]
        calls[0].caller = Caller("token", None, "marie")
        calls[1].caller = Caller("user", uuid.UUID(int=9), "marie")  # whose account was removed
        calls[2].caller = Caller("user", None, "marie")  # while the database was away
        Writer(served.engine).write([entry_of(call) for call in calls])
        assert len(listed(marie, user="marie")) == 3
        assert listed(marie, mine="1") == [str(calls[2].scored[0].id)]


class TestOnePrediction:
    def test_it_tells_what_was_answered_and_what_was_known(self, served: Served, marie: TestClient) -> None:
        key = predicted(served, "E-1")
        headers = {"Authorization": bearer(served.token)}
        told = served.client.post("/predict", json=EXAMPLE, headers=headers).json()
        text = words(marie.get(f"/app/history/{key}"))
        assert told["message"] in text
        for reason in told["reasons"]:
            assert reason["text"] in text
        assert "E-1" in text
        assert key in text

    def test_nobody_finds_what_there_is_not(self, marie: TestClient) -> None:
        page = marie.get(f"/app/history/{uuid.uuid4()}")
        assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (404, "text/html")

    def test_an_erased_one_says_so_and_takes_no_review(self, served: Served, marie: TestClient) -> None:
        key = predicted(served, "E-gone")
        token = token_in(marie.get(f"/app/history/{key}"))
        erase(served.engine, uuid.UUID(key))
        page = marie.get(f"/app/history/{key}")
        assert "ont été effacées" in words(page)
        assert "E-gone" not in page.text
        assert 'name="verdict"' not in page.text
        sent = marie.post(f"/app/history/{key}/review", data={"csrf": token, "verdict": "agree"})
        assert sent.status_code == 404

    def test_an_auditor_reads_and_reviews_nothing(self, served: Served, marie: TestClient) -> None:
        key = predicted(served)
        a_user(served.engine, "audit", role="auditor")
        token = token_in(marie.get("/app/history"))
        send(marie, "/sign-out", {}, "/app/history")
        sign_in(marie, "audit")
        page = marie.get(f"/app/history/{key}")
        assert (page.status_code, 'name="verdict"' in page.text) == (200, False)
        sent = marie.post(f"/app/history/{key}/review", data={"csrf": token, "verdict": "agree"})
        assert sent.status_code == 403

    def test_the_page_of_an_answer_leads_to_it(self, marie: TestClient) -> None:
        page = marie.post(
            "/app/employee",
            data={
                "csrf": token_in(marie.get("/app/employee")),
                **{name: str(value) for name, value in EXAMPLE.items()},
            },
        )
        link = page.text.partition('href="../app/history/')[2].partition('"')[0]
        assert marie.get(f"/app/history/{link}").status_code == 200


class TestReviewing:
    def test_a_review_is_stored_and_shown(self, served: Served, marie: TestClient) -> None:
        key = predicted(served)
        sent = add(marie, key, action="interview", comment=f" {HOSTILE}\r\n")
        assert sent.status_code == 303
        page = marie.get(sent.url.join(sent.headers["Location"]))
        assert (page.status_code, page.url.path) == (200, f"/app/history/{key}")
        with served.engine.connect() as connection:
            [row] = connection.execute(select(reviews)).all()
        assert (row.verdict, row.action, row.comment) == ("disagree", "interview", HOSTILE)
        assert sent.headers["Location"].endswith(f"#review-{row.request_id}")
        assert f'id="review-{row.request_id}"' in page.text
        assert "<script>alert(1)" not in page.text
        assert "<img" not in page.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        text = words(page)
        assert "Pas d'accord" in text
        assert "Action : Entretien" in text
        assert "marie" in text
        assert "1 pas d'accord" in words(marie.get("/app/history"))

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_what_is_wrong_is_told_and_nothing_typed_is_lost(
        self, served: Served, marie: TestClient, language: str
    ) -> None:
        key = predicted(served)
        marie.get(f"/app/history/{key}?lang={language}")
        long = "é" * (LONGEST_COMMENT + 1)
        page = add(marie, key, verdict="", action="pay", comment=long)
        assert page.status_code == 422
        assert 'id="verdict-error"' in page.text
        assert 'id="comment-error"' in page.text
        assert f"{long}</textarea>" in page.text
        assert '<option value="pay" selected>' in page.text
        assert ("required" in words(page)) == (language == "en")
        with served.engine.connect() as connection:
            assert connection.execute(select(reviews)).all() == []
            query = select(api_responses.c.body).join(requests, requests.c.id == api_responses.c.request_id)
            route = requests.c.route == "/app/history/{id}/review"
            [body] = connection.execute(query.where(route)).scalars()
        assert {error["loc"][-1] for error in body["detail"]} == {"verdict", "comment"}
        assert "éé" not in str(body)

    def test_line_ends_of_a_form_count_once(self, served: Served, marie: TestClient) -> None:
        comment = "a\r\n" * (LONGEST_COMMENT // 2)
        assert add(marie, predicted(served), comment=comment).status_code == 303

    def test_a_form_of_another_session_is_not_acted_on(self, served: Served, marie: TestClient) -> None:
        key = predicted(served)
        data = {"csrf": "forged", "verdict": "agree", "comment": "what I wrote"}
        page = marie.post(f"/app/history/{key}/review", data=data)
        assert (page.status_code, "what I wrote</textarea>" in page.text) == (403, True)
        with served.engine.connect() as connection:
            assert connection.execute(select(reviews)).all() == []

    def test_it_goes_with_the_person(self, served: Served, marie: TestClient) -> None:
        key = predicted(served, "E-9")
        add(marie, key, comment="about E-9 herself")
        assert run(main, "data", "erase", "E-9", "--yes").exit_code == 0
        page = marie.get(f"/app/history/{key}")
        assert "herself" not in page.text
        assert "Pas d'accord" not in words(page)

    def test_every_choice_has_its_words(self) -> None:
        assert tuple(review_sentences.VERDICTS) == tuple(review_sentences.GIVEN) == VERDICTS
        assert tuple(review_sentences.ACTIONS) == ACTIONS


@pytest.fixture(scope="module")
def server(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a real server with a token and a user of its own."""
    home = home_beside(Path(os.environ["BENTOML_HOME"]), tmp_path_factory.mktemp("served"))
    identities = {"API_TOKEN": TOKEN, "API_USERNAME": "marie", "API_PASSWORD": PASSWORD}
    with bentoml_serve(environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, **identities)) as server:
        yield server


@pytest.fixture(scope="module")
def reviewed(server: Server) -> str:
    """Return the path of the page of a prediction whose texts are as long as they may be."""
    headers = {"Authorization": bearer(TOKEN)}
    body = {**EXAMPLE, "employee_id": "W" * LONGEST_IDENTIFIER}
    key = httpx.post(f"{server.url}/predict", json=body, headers=headers, timeout=60).json()["prediction_id"]
    for comment in ("W" * LONGEST_COMMENT, HOSTILE):
        review = {"verdict": "disagree", "action": "working_conditions", "comment": comment}
        address = f"{server.url}/predictions/{key}/review"
        httpx.post(address, json=review, headers=headers, timeout=60).raise_for_status()
    return f"/app/history/{key}"


@contextmanager
def visiting(
    browser: Browser, server: Server, path: str, width: int, locale: str = "fr-FR", scheme: str = "light"
) -> Iterator[Visit]:
    """Yield a page that somebody sees who has signed in."""
    with Visit.begin(browser, width, locale, color_scheme=scheme) as visit:
        visit.page.goto(f"{server.url}{path}")
        visit.page.locator("#username").fill("marie")
        visit.page.locator("#password").fill(PASSWORD)
        visit.page.locator("main button").click()
        visit.page.wait_for_url(f"**{path}")
        yield visit


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (768, "light"), (1280, "light")])
def test_a_browser_shows_them_without_a_complaint_a_barrier_or_scrolling_sideways(
    browser: Browser, server: Server, reviewed: str, width: int, scheme: str
) -> None:
    with visiting(browser, server, reviewed, width, scheme=scheme) as visit:
        for path in (reviewed, "/app/history", "/app/history?employee_id=x"):
            visit.page.goto(f"{server.url}{path}")
            assert visit.overflow == 0, path
            assert visit.barriers() == [], path
        assert visit.complaints == []
        assert visit.origins == {server.url}
        visit.page.goto(f"{server.url}/app/history?since=yesterday")
        assert visit.barriers() == []


def test_a_browser_adds_a_review_and_shows_it_where_it_leads(
    browser: Browser, server: Server, reviewed: str
) -> None:
    with visiting(browser, server, reviewed, WIDTHS[0], "en-GB") as visit:
        page = visit.page
        page.get_by_role("button", name="Save the review").click()
        assert page.locator("input:invalid").count() == 2  # nothing is sent without a verdict
        page.get_by_label("I agree", exact=True).check()
        page.get_by_label("What was done").select_option("Training")
        page.get_by_label("Why").fill(HOSTILE)
        page.get_by_role("button", name="Save the review").click()
        added = page.locator(".review:target")
        added.wait_for()
        assert added.locator(".comment").inner_text() == HOSTILE
        assert "Agrees · Action: Training" in added.inner_text()
        assert visit.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_everything_is_open_and_nothing_is_to_be_clicked(
    browser: Browser, server: Server, reviewed: str, scheme: Literal["light", "dark"]
) -> None:
    with visiting(browser, server, reviewed, WIDTHS[1]) as visit:
        page = visit.page
        record = page.locator(".record")
        assert not record.locator("dd").first.is_visible()
        page.emulate_media(media="print", color_scheme=scheme)
        assert record.locator("dd").first.is_visible()
        assert page.locator(".review").count() >= 2
        for gone in ("form", "header", "button"):
            assert not any(one.is_visible() for one in page.locator(gone).all()), gone
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
