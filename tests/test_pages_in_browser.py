"""The pages as people use them: a real browser, a real server with two workers, SQLite and PostgreSQL."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Error, FrameLocator, Page
from sqlalchemy import func, select, update

from churn.access.login_throttle import PER_USER
from churn.access.sessions import IDLE, close_sessions_of
from churn.database.engine import opened
from churn.database.tables import prediction_results, sessions, users
from harness.chromium import sign_in
from harness.identities import PASSWORD, a_user
from harness.servers import bentoml_serve, wait_until
from tests.support.browser import Visit, browser
from tests.support.jobs import csv_of
from tests.support.prefix_proxy import behind_prefix
from tests.support.site import SPACE, Site, open_in_frame, postgresql_site, site, sqlite_site
from tests.support.tables import employees

__all__ = ["browser", "postgresql_site", "site", "sqlite_site"]  # fixtures

PAGES = (
    "",
    "sign-in",
    "app/employee?example=risk",
    "app/what-if",
    "app/model",
    "app/monitoring",
    "app/monitoring/outcomes",
    "app/monitoring/oversight",
    "app/monitoring/report",
    "app/history",
    "app/admin",
    "app/admin/audit",
)
WIDTHS = (360, 768, 1280)


def predict(page: Page) -> None:
    """Send the employee's form, and wait for the risk."""
    page.get_by_role("button", name="Estimate the risk").click()
    page.locator(".verdict").wait_for()


def look_back_and_send_a_file(page: Page | FrameLocator, file: Path) -> None:
    """Open a past prediction, then have a file checked and scored."""
    page.get_by_role("link", name="History").click()
    page.locator("tbody a").first.click()
    page.locator(".verdict").wait_for()
    page.get_by_role("link", name="A file", exact=True).click()
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Score the risks").click()
    page.get_by_role("link", name="Excel").first.wait_for()


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of a few employees."""
    path = tmp_path_factory.mktemp("file") / "some.csv"
    path.write_bytes(csv_of(employees(5)))
    return path


def statuses(site: Site, cookies: dict[str, str]) -> set[int]:
    """Return how calls end on connections of their own, so that both workers have some."""
    return {httpx.get(f"{site.url}/app/model", cookies=cookies).status_code for _ in range(12)}


@pytest.mark.parametrize("width", WIDTHS)
def test_somebody_signs_in_and_sees_a_risk_with_its_reasons(browser: Browser, site: Site, width: int) -> None:
    with Visit.begin(browser, width) as visit:
        page = visit.page
        page.goto(site.url)
        page.get_by_role("link", name="Open the pages").click()
        sign_in(page, password="not the password")
        page.get_by_role("alert").get_by_text("Incorrect username or password").wait_for()
        assert page.locator("#username").input_value() == "marie"
        sign_in(page)
        page.get_by_role("link", name="a person at risk").click()
        predict(page)
        assert page.get_by_role("heading", name="High risk of leaving").is_visible()
        assert page.locator("table.bars").first.locator("tbody tr").count() == 8
        page.get_by_role("link", name="a stable person").click()
        predict(page)
        assert page.get_by_role("heading", name="Stable employee").is_visible()
        site.assert_sound(visit)


def test_changes_are_answered_as_they_are_made(browser: Browser, site: Site) -> None:
    with Visit.begin(browser) as visit:
        page = site.open_page(visit, "app/employee")
        page.get_by_role("link", name="a person at risk").click()
        page.get_by_role("button", name="Try changes").click()
        page.get_by_text("Change a field of the form").wait_for()
        with page.expect_response("**/app/what-if"):
            page.get_by_label("Overtime").select_option("Non")
        page.get_by_role("row", name="Overtime: yes → no").wait_for()
        before, after = page.locator(".share strong").all_inner_texts()
        assert int(after.rstrip("%")) < int(before.rstrip("%"))
        with page.expect_response("**/app/what-if"):
            page.get_by_label("Distance from home to work").fill("far")
            page.get_by_label("Distance from home to work").blur()
        page.get_by_role("alert").get_by_text("expected a number").wait_for()
        site.assert_sound(visit)


def test_a_suggestion_is_tried_with_one_click(browser: Browser, site: Site) -> None:
    with Visit.begin(browser) as visit:
        page = site.open_page(visit, "app/employee")
        page.get_by_role("link", name="a person at risk").click()
        for label, value in (("Savings-plan take-ups", "1"), ("Distance from home to work", "2")):
            page.get_by_label(label).fill(value)
        page.get_by_label("Monthly income").fill("4 000,5")
        page.get_by_label("Satisfaction (environment)").select_option("4")
        page.get_by_role("button", name="Try changes").click()
        page.get_by_role("button", name="Try", exact=True).first.click()
        page.get_by_text("These changes suffice to fall below the threshold").wait_for()
        site.assert_sound(visit)


def test_without_scripts_everything_works(browser: Browser, sqlite_site: Site) -> None:
    with Visit.begin(browser, java_script_enabled=False) as visit:
        page = sqlite_site.open_page(visit, "app/employee")
        page.get_by_role("link", name="a person at risk").click()
        predict(page)
        page.get_by_role("button", name="Try changes").click()
        page.get_by_label("Overtime").select_option("Non")
        page.get_by_role("button", name="Compare").click()
        page.get_by_role("row", name="Overtime: yes → no").wait_for()


def test_with_the_keyboard_alone(browser: Browser, sqlite_site: Site) -> None:
    with Visit.begin(browser) as visit:
        page = visit.page
        page.goto(f"{sqlite_site.url}/app/employee?example=risk")
        page.keyboard.type("marie")  # the first field has the focus
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/app/employee?example=risk")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        for _ in range(3):  # past both examples, to the first field
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "revenu_mensuel"
        page.keyboard.press("Enter")
        page.locator(".verdict").wait_for()


def test_what_was_typed_outlives_the_session(browser: Browser, site: Site) -> None:
    with Visit.begin(browser) as visit:
        page = site.open_page(visit, "app/employee")
        page.get_by_role("link", name="a person at risk").click()
        page.get_by_label("Monthly income").fill("2345")
        page.context.clear_cookies(name="churn_session")
        page.get_by_role("button", name="Estimate the risk").click()
        page.get_by_role("heading", name="Your session has ended").wait_for()
        with page.context.expect_page() as opened_page:
            page.get_by_role("link", name="Sign in").click()
        sign_in(opened_page.value)
        opened_page.value.wait_for_url("**/app/employee")
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("alert").get_by_text("Your session has changed").wait_for()
        assert page.get_by_label("Monthly income").input_value() == "2345"
        predict(page)


def test_a_session_that_is_revoked_while_somebody_types_can_be_resumed(browser: Browser, site: Site) -> None:
    with opened(site.database) as engine, Visit.begin(browser) as visit:
        user = a_user(engine, "rita")
        page = site.open_page(visit, "app/employee?example=risk", "rita")
        page.get_by_role("button", name="Try changes").click()
        page.get_by_text("Change a field of the form").wait_for()
        with engine.begin() as connection:
            close_sessions_of(connection, user)

        def answered(choice: str) -> int:
            with page.expect_response("**/app/what-if") as answer:
                page.get_by_label("Overtime").select_option(choice)
            return answer.value.status

        wait_until(lambda: (answered("Oui"), answered("Non"))[-1] == 401)  # in either worker
        page.get_by_role("heading", name="Your session has ended").wait_for()
        with page.context.expect_page() as opened_page:
            page.get_by_role("link", name="Sign in").click()
        sign_in(opened_page.value, "rita")
        opened_page.value.wait_for_url("**/app/what-if")
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("alert").get_by_text("Your session has changed").wait_for()
        page.get_by_role("button", name="Compare").click()
        page.get_by_role("row", name="Overtime: yes → no").wait_for()


def test_a_session_that_was_idle_for_too_long_leads_back_to_the_page(
    browser: Browser, sqlite_site: Site
) -> None:
    with opened(sqlite_site.database) as engine, Visit.begin(browser) as visit:
        a_user(engine, "ines")
        page = sqlite_site.open_page(visit, "app/model", "ines")
        used = datetime.now(UTC) - IDLE - timedelta(minutes=1)
        with engine.begin() as connection:
            of_ines = (
                sessions.c.user_id == select(users.c.id).where(users.c.username == "ines").scalar_subquery()
            )
            connection.execute(update(sessions).where(of_ines).values(last_used_at=used))

        def is_over() -> bool:  # in either worker
            page.goto(f"{sqlite_site.url}/app/history?mine=1")
            return "sign-in" in page.url

        wait_until(lambda: all(is_over() for _ in range(4)))
        sign_in(page, "ines")
        page.wait_for_url("**/app/history?mine=1")
        sqlite_site.assert_sound(visit)


def test_who_guesses_is_told_to_wait(browser: Browser, sqlite_site: Site) -> None:
    with opened(sqlite_site.database) as engine:
        a_user(engine, "gus")
    with Visit.begin(browser) as visit:
        page = visit.page
        page.goto(f"{sqlite_site.url}/sign-in")
        said = page.get_by_role("alert")
        for number in range(2 * PER_USER.free + 3):  # both workers count
            with page.expect_navigation():
                sign_in(page, "gus", f"guess number {number}")
            if said.get_by_text("Too many attempts: wait").is_visible():
                break
            assert said.inner_text() == "Incorrect username or password."
        assert said.get_by_text("Too many attempts: wait").is_visible()
        assert page.locator("#username").input_value() == "gus"
        assert page.locator("#password").input_value() == ""
        assert visit.barriers() == []
        sqlite_site.assert_sound(visit)


def test_going_back_scores_nobody_again(browser: Browser, sqlite_site: Site) -> None:
    def scored() -> int:
        with opened(sqlite_site.database) as engine, engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(prediction_results)).scalar_one()

    with Visit.begin(browser) as visit:
        page = sqlite_site.open_page(visit, "app/employee?example=risk")
        predict(page)
        before = scored()
        page.get_by_role("link", name="History").click()
        page.get_by_role("heading", level=1).wait_for()
        with suppress(Error):  # the browser asks whether to send the form again
            page.go_back()
        assert scored() == before
        other = page.context.new_page()
        other.goto(f"{sqlite_site.url}/app/history")
        other.locator("tbody a").first.click()
        other.locator(".verdict").wait_for()


def test_a_session_that_is_ended_elsewhere_is_over_in_every_worker(site: Site) -> None:
    with opened(site.database) as engine:
        user = a_user(engine, "anna")
        cookies = site.cookies("anna")

        assert statuses(site, cookies) == {200}
        with engine.begin() as connection:
            close_sessions_of(connection, user)
        wait_until(lambda: statuses(site, cookies) == {303})


def test_two_tabs_share_a_session_and_its_end(browser: Browser, site: Site) -> None:
    with Visit.begin(browser) as visit:
        first = site.open_page(visit, "app/employee")
        second = first.context.new_page()
        second.goto(f"{site.url}/app/model")
        assert second.get_by_role("heading", level=1).inner_text() == "The model that answers"
        first.get_by_role("button", name="Sign out").click()
        first.wait_for_url("**/sign-in")
        second.reload()
        assert second.url.endswith("sign-in?next=app%2Fmodel")
        first.go_back()
        assert first.locator("#username").is_visible()  # nothing of before is shown from memory


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (768, "light"), (1280, "light")])
def test_axe_finds_no_barrier_and_no_page_is_too_wide(
    browser: Browser, sqlite_site: Site, width: int, scheme: str
) -> None:
    with Visit.begin(browser, width, color_scheme=scheme) as visit:
        sqlite_site.open_page(visit, "app/admin", "root")
        for path in PAGES:
            visit.page.goto(f"{sqlite_site.url}/{path}")
            assert visit.barriers() == [], path
            sqlite_site.assert_sound(visit)
        visit.page.goto(f"{sqlite_site.url}/app/employee?example=risk")
        predict(visit.page)
        assert visit.barriers() == []
        visit.page.get_by_role("button", name="Try changes").click()
        visit.page.get_by_label("Overtime").select_option("Non")
        visit.page.get_by_role("row", name="Overtime: yes → no").wait_for()
        assert visit.barriers() == []
        visit.page.goto(f"{sqlite_site.url}/app/monitoring")
        visit.page.locator("table.bars").wait_for()
        assert visit.barriers() == []
        sqlite_site.assert_sound(visit)
        visit.page.goto(f"{sqlite_site.url}/app/employee?example=risk")
        visit.page.get_by_label("Monthly income").fill("much")
        visit.page.get_by_role("button", name="Estimate the risk").click()
        visit.page.get_by_role("alert").wait_for()
        assert visit.barriers() == []
        sqlite_site.assert_sound(visit)


def test_behind_a_prefix_they_work_too(browser: Browser, sqlite_site: Site, some: Path) -> None:
    with behind_prefix(sqlite_site.url, "/people/churn") as prefixed, Visit.begin(browser) as visit:
        visit.page.goto(f"{prefixed}/")
        visit.page.get_by_role("link", name="Open the pages").click()
        sign_in(visit.page)
        visit.page.wait_for_url(f"{prefixed}/app/employee")
        visit.page.get_by_role("link", name="a person at risk").click()
        predict(visit.page)
        visit.page.get_by_role("button", name="Try changes").click()
        visit.page.get_by_text("Change a field of the form").wait_for()
        look_back_and_send_a_file(visit.page, some)
        visit.page.get_by_role("button", name="Sign out").click()
        visit.page.wait_for_url(f"{prefixed}/sign-in")
        assert all(url.startswith(prefixed) for url in visit.requested if url.startswith("http"))
        assert visit.complaints == []


def test_inside_another_sites_frame_they_work_too(browser: Browser, sqlite_site: Site, some: Path) -> None:
    env = {**sqlite_site.env, "CHURN_FRAME_ANCESTORS": SPACE, "CHURN_WORKERS": "1"}
    with bentoml_serve(env) as framed, Visit.begin(browser) as visit:
        inside = open_in_frame(visit.page, f"{framed.url}/app/employee")
        inside.get_by_role("link", name="a person at risk").click()
        inside.get_by_role("button", name="Estimate the risk").click()
        inside.locator(".verdict").wait_for()
        look_back_and_send_a_file(inside, some)
        [cookie] = [one for one in visit.page.context.cookies() if one["name"] == "churn_session"]
        assert (cookie["sameSite"], cookie["secure"]) == ("None", True)


def test_the_language_can_be_switched_and_is_remembered(browser: Browser, sqlite_site: Site) -> None:
    with Visit.begin(browser, locale="fr-FR") as visit:
        page = sqlite_site.open_page(visit, "app/employee")
        assert page.locator("html").get_attribute("lang") == "fr"
        page.get_by_role("link", name="English").click()
        page.get_by_role("link", name="The model").click()
        assert page.locator("html").get_attribute("lang") == "en"
