"""/docs and /redoc: what a real browser makes of them, and what it is sent."""

import gzip
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from churn.model.registry import ServedModel
from churn.web.endpoints import api_pages, assets
from churn.web.endpoints.api_pages import REDOC, SWAGGER
from churn.web.routes import ROUTES
from harness.identities import PASSWORD
from harness.servers import Server, bentoml_serve, environment, home_beside
from tests.conftest import Served
from tests.support.browser import WIDTHS, Visit, browser
from tests.support.company import EXAMPLE

__all__ = ["browser"]  # a fixture

TOKEN = "hV7rWm3TqZ9xKc5LnB2d"
KEPT_FOR_EVER = "public, max-age=31536000, immutable"


# What axe-core finds serious in Swagger UI itself, by its rule and the last part of the selector.
SWAGGERS_OWN = {
    ("nested-interactive", ".opblock-summary-control"),
    ("color-contrast", ".opblock-summary-method"),
    ("color-contrast", "pre"),
    ("color-contrast", "span"),
}


@pytest.fixture(scope="module")
def fetched() -> None:
    """Skip where the scripts of the pages were never fetched."""
    if not assets.VENDOR.exists():
        assert not os.environ.get("CI"), "CI has to fetch the scripts: make assets"
        pytest.skip("the scripts of the pages are not there: make assets")


@pytest.fixture(scope="module")
def server(fetched: None, model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a real server with a token and a user of its own."""
    home = home_beside(Path(os.environ["BENTOML_HOME"]), tmp_path_factory.mktemp("served"))
    identities = {"API_TOKEN": TOKEN, "API_USERNAME": "marie", "API_PASSWORD": PASSWORD}
    with bentoml_serve(environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, **identities)) as server:
        yield server


def is_shown(page: Page) -> None:
    """Wait until a page shows the last operation of the document."""
    page.get_by_text("Read this document as a page").last.wait_for(state="attached")


def assert_sound(visit: Visit, server: Server) -> None:
    """Fail where the browser complained, a page asked another host, or it is too wide."""
    assert visit.complaints == []
    assert visit.origins == {server.url}
    assert visit.overflow == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", ["docs", "redoc"])
def test_a_browser_shows_them_and_asks_nobody_else(
    browser: Browser, server: Server, path: str, width: int
) -> None:
    with Visit.begin(browser, width, locale="fr-FR") as visit:
        visit.page.goto(f"{server.url}/{path}")
        is_shown(visit.page)
        visit.page.wait_for_load_state("networkidle")
        assert_sound(visit, server)
        assert visit.page.locator("html").get_attribute("lang") == "fr"
        assert visit.page.locator("main").count() == visit.page.locator("h1").count() == 1
        visit.page.get_by_role("link", name="English").click()
        is_shown(visit.page)
        assert visit.page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize(("width", "scheme"), [(WIDTHS[0], "dark"), (WIDTHS[1], "light")])
@pytest.mark.parametrize(("path", "known"), [("docs", SWAGGERS_OWN), ("redoc", set())])
def test_axe_finds_no_barrier_but_swaggers_own(
    browser: Browser, server: Server, path: str, known: set[tuple[str, str]], width: int, scheme: str
) -> None:
    with Visit.begin(browser, width, color_scheme=scheme) as visit:
        visit.page.goto(f"{server.url}/{path}")
        is_shown(visit.page)
        found = (barrier.partition(": ") for barrier in visit.barriers())
        assert {(rule, selector.rpartition(" > ")[2]) for rule, _, selector in found} <= known


def test_redoc_hides_nothing_behind_its_examples(browser: Browser, server: Server) -> None:
    tables = "[...document.querySelectorAll('#api table')]"
    is_wider = "table => table.offsetWidth > table.parentElement.offsetWidth"
    with Visit.begin(browser) as visit:
        visit.page.goto(f"{server.url}/redoc")
        is_shown(visit.page)
        assert visit.page.evaluate(f"{tables}.length") > 0
        assert visit.page.evaluate(f"{tables}.filter({is_wider}).length") == 0


def sign_in_with_token(dialog: Locator) -> None:
    form = dialog.locator(".auth-container").filter(has_text="bearer")
    form.locator("input").fill(TOKEN)
    form.get_by_role("button", name="Apply credentials").click()


def sign_in_with_password(dialog: Locator) -> None:
    form = dialog.locator(".auth-container").filter(has_text="basic")
    form.locator("input[name=username]").fill("marie")
    form.locator("input[name=password]").fill(PASSWORD)
    form.get_by_role("button", name="Apply credentials").click()


def predict_the_example(page: Page, url: str) -> int:
    """Send the example to `/predict` of a service; return the status of the answer, which the page shows."""
    operation = page.locator("#operations-predictions-predict")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    assert json.loads(operation.locator("textarea").input_value()) == EXAMPLE
    with page.expect_response("**/predict") as answered:
        operation.get_by_role("button", name="Execute").click()
    assert operation.locator(".request-url").inner_text().split()[-1] == f"{url}/predict"
    shown = operation.locator(".live-responses-table .response-col_status").last.inner_text()
    assert int(shown.split()[0]) == answered.value.status
    return answered.value.status


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("sign_in", [sign_in_with_token, sign_in_with_password])
def test_the_example_can_be_tried_once_signed_in(
    browser: Browser, server: Server, sign_in: Callable[[Locator], None], width: int
) -> None:
    with Visit.begin(browser, width) as visit:
        visit.page.goto(f"{server.url}/docs")
        visit.page.get_by_role("button", name="Authorize").click()
        dialog = visit.page.locator(".modal-ux")
        sign_in(dialog)
        dialog.get_by_role("button", name="Close").last.click()
        assert predict_the_example(visit.page, server.url) == 200
        assert_sound(visit, server)


def test_without_credentials_the_example_is_refused_and_no_password_is_asked_for(
    browser: Browser, server: Server
) -> None:
    with Visit.begin(browser) as visit:
        visit.page.goto(f"{server.url}/docs")
        assert predict_the_example(visit.page, server.url) == 401


def test_behind_a_prefix_they_work_too(browser: Browser, server: Server) -> None:
    prefixed = f"{server.url}/people/churn"
    with Visit.begin(browser) as visit:
        # As a proxy does that takes the prefix away.
        visit.page.route(
            f"{prefixed}/**",
            lambda route: route.continue_(url=route.request.url.replace(prefixed, server.url)),
        )
        visit.page.goto(f"{prefixed}/docs")
        visit.page.get_by_role("button", name="Authorize").click()
        dialog = visit.page.locator(".modal-ux")
        sign_in_with_token(dialog)
        dialog.get_by_role("button", name="Close").last.click()
        assert predict_the_example(visit.page, prefixed) == 200
        visit.page.get_by_role("link", name="Read", exact=True).click()
        is_shown(visit.page)
        assert f"{prefixed}/predict" in (visit.page.locator("main").text_content() or "")
        assert all(url.startswith(prefixed) for url in visit.requested if url.startswith("http"))
        assert_sound(visit, server)


def test_redoc_finds_what_is_searched_for_and_shows_whole_addresses(browser: Browser, server: Server) -> None:
    with Visit.begin(browser) as visit:
        visit.page.goto(f"{server.url}/redoc")
        visit.page.get_by_placeholder("Search...").fill("history")
        visit.page.get_by_role("menuitem", name="Read recent predictions").last.wait_for()
        assert f"{server.url}/history" in (visit.page.locator("main").text_content() or "")
        assert_sound(visit, server)


@pytest.mark.parametrize("page", [SWAGGER, REDOC], ids=lambda page: str(page.name))
@pytest.mark.usefixtures("fetched")
def test_what_they_load_is_kept_for_ever_under_a_name_of_its_content(
    served: Served, app: ASGIApp, page: api_pages.ApiPage
) -> None:
    anyone = TestClient(app)
    text = anyone.get(f"/{page.name}").text
    loaded = re.findall(r'(?:src|href)="(assets/[^"]+)"', text)
    assert len(loaded) == len(page.styles) + len(page.scripts)
    for address in loaded:
        assert ROUTES[f"/{address}"].is_cacheable
        compressed = anyone.get(f"/{address}")
        plain = anyone.get(f"/{address}", headers={"Accept-Encoding": "identity"})
        assert compressed.content == plain.content
        assert "Content-Encoding" not in plain.headers
        for answer in (compressed, plain):
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == KEPT_FOR_EVER
            assert answer.headers["Vary"] == "Accept-Encoding"
    assert re.findall(r"<script(?![^>]* src=)|\sstyle=|\son\w+=|https?:|=\"/", text) == []


def test_another_name_is_not_found(served: Served, app: ASGIApp) -> None:
    for name in ("swagger-ui.000000000000.js", "swagger-ui.js", "vendor/swagger-ui.js", "..%2Fservice.py"):
        answer = TestClient(app).get(f"/assets/{name}")
        assert answer.status_code in (401, 404)
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.fixture
def unfetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the service find none of the scripts that are fetched."""
    remembered = (assets._files, api_pages._html)
    for function in remembered:
        function.cache_clear()
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    yield
    for function in remembered:
        function.cache_clear()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
@pytest.mark.usefixtures("unfetched")
def test_without_the_scripts_they_say_how_to_get_them(served: Served, app: ASGIApp, path: str) -> None:
    answer = TestClient(app).get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert "`make install`" in answer.text
    assert '<a href="openapi.json">' in answer.text
    assert "<script" not in answer.text


def test_the_compressed_copies_are_the_files(fetched: None) -> None:
    copies = list(assets.VENDOR.glob("*.gz"))
    assert len(copies) == 4
    for copy in copies:
        assert gzip.decompress(copy.read_bytes()) == copy.with_suffix("").read_bytes()
