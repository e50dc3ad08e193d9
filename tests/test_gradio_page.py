"""/ui, the page made with Gradio: a real browser, a real server with two workers."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select
from starlette.testclient import TestClient

from churn.database import tables
from churn.database.engine import opened
from churn.model.registry import ServedModel
from churn.web.routes import ELSEWHERE, ROUTES
from harness import chromium
from harness.identities import a_user
from harness.servers import PROJECT, bentoml_serve, environment
from tests.conftest import Served
from tests.support.browser import Visit, browser
from tests.support.company import EXAMPLE
from tests.support.pages import sign_in
from tests.support.prefix_proxy import behind_prefix
from tests.support.site import SPACE, Site, open_in_frame, serving

__all__ = ["browser"]  # a fixture

LOADING = """
import sys, psutil
from churn import service
service.gradio.load()
[process] = psutil.Process().children()
service.gradio.close()
process.wait()
print(*(name for name in ("fastapi", "gradio", "pandas") if name in sys.modules))
"""

# As an image has it: drawn before, and without Gradio.
DRAWING = """
import sys
from pathlib import Path
from churn.dictionary.technova import TECHNOVA
from churn.ui.gradio_drawing import save
save(TECHNOVA, Path(sys.argv[1]))
"""
SHOWING = """
import asyncio, re, sys
from pathlib import Path
sys.modules.update(gradio=None, fastapi=None, pandas=None)
from churn.core import extras
extras.DRAWN = Path(sys.argv[1])
from churn import service
from churn.ui.gradio_page import GradioPage
from starlette.applications import Starlette
from starlette.testclient import TestClient
shown = GradioPage(service.scoring, tuple)
shown.load()
client = TestClient(Starlette(routes=shown.routes))
page = client.get("/ui/").text
assert "Estimer le risque" in page, page
files = set(re.findall(r'"[./]*(assets/[^"]+\\.(?:js|css))"', page))
print(extras.has_gradio_page(), len(files) > 0, {client.get(f"/ui/{file}").status_code for file in files})
"""

LABELS = {
    "revenu_mensuel": "Monthly income (€)",
    "annee_experience_totale": "Total experience (years)",
    "annees_dans_l_entreprise": "Years with the company (years)",
    "annees_dans_le_poste_actuel": "Years in the current job (years)",
    "nombre_participation_pee": "Savings-plan take-ups",
    "distance_domicile_travail": "Distance from home to work (km)",
    "annees_depuis_la_derniere_promotion": "Years since the last promotion (years)",
}
GRADIOS_OWN = {"color-contrast: .primary"}  # what axe-core finds serious in Gradio itself
CHOICES = {
    "Satisfaction (environment)": "1",
    "Satisfaction (work-life balance)": "2",
    "Overtime": "Yes",
}


@pytest.fixture(scope="module")
def site(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site with Gradio's page."""
    folder = tmp_path_factory.mktemp("gradio")
    with serving(model, folder, f"sqlite:///{folder / 'churn.db'}", CHURN_UI="true") as site:
        yield site


def open_page(page: Page, url: str) -> None:
    """Open the page as somebody who has to sign in first."""
    page.goto(f"{url}/ui")
    chromium.sign_in(page)


def choose(page: Page, label: str, value: str) -> None:
    """Choose a value from one of Gradio's lists."""
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=value, exact=True).click()
    page.get_by_role("listbox").wait_for(state="detached")


def fill_in(page: Page) -> None:
    """Type the example."""
    for name, label in LABELS.items():
        page.get_by_label(label, exact=True).fill(str(EXAMPLE[name]))
    for label, value in CHOICES.items():
        choose(page, label, value)


def test_the_risk_the_reasons_and_what_a_change_does(browser: Browser, site: Site) -> None:
    with Visit.begin(browser) as visit:
        page = visit.page
        open_page(page, site.url)
        assert page.request.get(f"{site.url}/app/employee").text().count(">Gradio<") == 1
        fill_in(page)
        page.get_by_role("button", name="Estimate the risk").click()
        page.get_by_role("heading", name="High risk of leaving").wait_for()
        assert page.locator("table.bars").first.locator("tbody tr").count() == 8
        choose(page, "Overtime", "No")
        page.get_by_role("button", name="Compare with the last estimate").click()
        page.get_by_role("row", name="Overtime: yes → no").wait_for()
        page.get_by_label("Monthly income (€)", exact=True).fill("much")
        page.get_by_role("button", name="Estimate the risk").click()
        page.get_by_role("alert").get_by_text("expected a number").wait_for()
        site.assert_sound(visit)
    with opened(site.database) as engine, engine.connect() as connection:
        columns = (tables.requests.c.route, tables.requests.c.caller_name, tables.api_responses.c.body)
        query = (
            select(*columns)
            .join(tables.api_responses, tables.api_responses.c.request_id == tables.requests.c.id)
            .where(tables.requests.c.route.startswith("/ui"))
            .order_by(tables.requests.c.id)
        )
        calls = connection.execute(query).all()
        predictions = connection.execute(select(tables.prediction_results.c.id)).all()
    assert [(route, who) for route, who, _ in calls] == [("/ui/gradio_api/run/predict", "marie")] * 3
    assert calls[0][2]["prediction"] == 1
    assert calls[1][2]["difference"]["probability"] < 0
    assert len(predictions) == 3
    assert "much" not in str(calls[2][2])


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_axe_finds_no_barrier_but_the_contrast_of_gradios_button(
    browser: Browser, site: Site, width: int, scheme: str
) -> None:
    with Visit.begin(browser, width, color_scheme=scheme) as visit:
        open_page(visit.page, site.url)
        estimate = visit.page.get_by_role("button", name="Estimate the risk")
        estimate.wait_for()
        assert set(visit.barriers()) <= GRADIOS_OWN
        estimate.click()
        visit.page.get_by_role("alert").wait_for()
        assert set(visit.barriers()) <= GRADIOS_OWN
        site.assert_sound(visit)


def test_any_worker_answers(site: Site) -> None:
    cookies = site.cookies()
    data = {"data": [""] * 30}
    statuses = set()
    for _ in range(12):  # on connections of their own, so that both workers have some
        answer = httpx.post(f"{site.url}/ui/gradio_api/run/predict", json=data, cookies=cookies, timeout=60)
        statuses.add(answer.status_code)
    assert len(statuses) == 1
    assert 503 not in statuses


@pytest.mark.parametrize(
    "path",
    ["/ui/config", "/ui/gradio_api/upload", "/ui/gradio_api/info", "/ui/monitoring", "/ui/login",
     "/ui/logout", "/ui/gradio_api/queue/join", "/ui/gradio_api/file=/etc/hostname", "/ui/openapi.json"],
)  # fmt: skip
def test_nothing_else_of_gradios_is_reached(site: Site, path: str) -> None:
    assert ROUTES[path] is ELSEWHERE
    cookies = site.cookies()
    assert httpx.get(f"{site.url}{path}", cookies=cookies).status_code == 401
    assert httpx.post(f"{site.url}{path}", cookies=cookies, json={}).status_code == 401


def test_who_may_not_predict_does_not_see_it(site: Site) -> None:
    cookies = site.cookies("ruth")
    assert httpx.get(f"{site.url}/ui/", cookies=cookies).status_code == 403
    run = f"{site.url}/ui/gradio_api/run/predict"
    assert httpx.post(run, cookies=cookies, json={"data": []}).status_code == 403
    assert httpx.post(run, json={"data": []}).status_code == 401


def test_another_site_has_nothing_predicted(site: Site) -> None:
    run, headers = f"{site.url}/ui/gradio_api/run/predict", {"Sec-Fetch-Site": "cross-site"}
    answer = httpx.post(run, cookies=site.cookies(), json={"data": []}, headers=headers)
    assert answer.status_code == 403


def test_where_it_is_left_out_it_is_not_found(served: Served) -> None:
    a_user(served.engine, "marie")
    client: TestClient = served.client
    sign_in(client, "marie")
    assert client.get("/ui/").status_code == 404
    assert ">Gradio<" not in client.get("/app/employee").text


@pytest.mark.parametrize(
    "event",
    [b"", b"[]", b"{}", b'{"data": 1}', b'{"data": [1]}', b'{"data": [], "fn_index": 2}', b"\xff"],
)
def test_what_is_no_event_is_refused(site: Site, event: bytes) -> None:
    run, headers = f"{site.url}/ui/gradio_api/run/predict", {"Content-Type": "application/json"}
    answer = httpx.post(run, cookies=site.cookies(), content=event, headers=headers)
    assert answer.status_code == 422


def test_an_event_is_no_larger_than_a_form(site: Site) -> None:
    run, event = f"{site.url}/ui/gradio_api/run/predict", {"data": ["1" * 70_000]}
    assert httpx.post(run, cookies=site.cookies(), json=event).status_code == 413


def test_behind_a_prefix_and_in_french(browser: Browser, site: Site) -> None:
    with (
        behind_prefix(site.url, "/people/churn") as prefixed,
        Visit.begin(browser, locale="fr-FR") as visit,
    ):
        page = visit.page
        open_page(page, prefixed)
        page.get_by_role("button", name="Estimer le risque").click()
        page.get_by_role("alert").get_by_text("Revenu mensuel").wait_for()
        page.get_by_label("Heures supplémentaires", exact=True).click()
        assert page.get_by_role("option").all_inner_texts()[-2:] == ["Oui", "Non"]
        assert page.locator("html").get_attribute("lang") == "fr"
        assert all(url.startswith(prefixed) for url in visit.requested if url.startswith("http"))
        assert visit.complaints == []


def test_inside_another_sites_frame(browser: Browser, site: Site) -> None:
    env = {**site.env, "CHURN_FRAME_ANCESTORS": SPACE, "CHURN_WORKERS": "1"}
    with bentoml_serve(env) as framed, Visit.begin(browser) as visit:
        inside = open_in_frame(visit.page, f"{framed.url}/ui")
        inside.get_by_role("button", name="Estimate the risk").click()
        inside.get_by_role("alert").get_by_text("Monthly income").wait_for()
        assert {url for url in visit.requested if not url.startswith(framed.url)} == {f"{SPACE}/"}


def test_no_worker_imports_gradio_nor_leaves_its_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOADING]
    env = environment(BENTOML_HOME=str(tmp_path), CHURN_UI="true")
    ran = subprocess.run(command, cwd=PROJECT, env=env, check=True, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("", "")


def test_drawn_before_it_is_shown_without_gradio(tmp_path: Path) -> None:
    env = environment(BENTOML_HOME=str(tmp_path), CHURN_UI="true")
    said = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "drawn")],
            cwd=PROJECT, env=env, check=True, capture_output=True, text=True,
        ).stdout.strip()
        for program in (DRAWING, SHOWING)
    ]  # fmt: skip
    assert said[1] == "True True {200}"
