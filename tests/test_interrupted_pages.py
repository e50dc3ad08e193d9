"""Pages whose server is interrupted: a worker is killed, or all is started again, and nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import psutil
import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import func, select

from churn.database.engine import opened
from churn.database.tables import prediction_results
from churn.records.integrity import verify
from harness.servers import wait_until
from tests.support.browser import Visit, browser
from tests.support.jobs import csv_of, processes_of
from tests.support.pages import send, values_in, words
from tests.support.site import Site, postgresql_site, site, sqlite_site
from tests.support.tables import employees

__all__ = ["browser", "postgresql_site", "site", "sqlite_site"]  # fixtures

ROWS = 6_000
PATIENCE = 120_000  # milliseconds


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that takes some seconds to be scored."""
    path = tmp_path_factory.mktemp("upload") / "people.csv"
    path.write_bytes(csv_of(pd.concat([employees(300)] * 20).assign(employee_id=range(ROWS))))
    return path


def journalled(site: Site) -> int:
    """Return how many predictions the journal has."""
    with opened(site.database) as engine, engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(prediction_results)).scalar_one()


def begin(page: Page, site: Site, path: Path) -> psutil.Process:
    """Have a file scored, and return who works on it once some of it is journalled."""
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Check the file").click()
    page.get_by_text("Nothing is scored yet").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Score the risks").click()
    wait_until(lambda: journalled(site) > 0, lambda: site.server.process.output)
    wait_until(lambda: len(processes_of(site.server)) == 1, lambda: site.server.process.output)
    [process] = processes_of(site.server)
    return process


def test_a_files_job_and_the_session_outlive_a_worker_and_then_the_server(
    browser: Browser, site: Site, many: Path
) -> None:
    with Visit.begin(browser) as visit:
        page = site.open_page(visit, "app/file")
        process = begin(page, site, many)
        page.reload()
        assert page.get_by_role("progressbar").is_visible()
        worker = process.parent()
        assert worker is not None
        worker.kill()
        process.wait(30)  # ends with its worker
        assert journalled(site) < ROWS
        with page.expect_response(lambda answer: answer.ok):  # the page goes on asking by itself
            wait_until(lambda: bool(processes_of(site.server)), lambda: site.server.process.output)
        site.server.stop()
        site.restart()
        page.reload()
        page.get_by_text("risks scored").wait_for(timeout=PATIENCE)
        scored = page.get_by_role("listitem").filter(has_text="risks scored")
        assert scored.inner_text().split()[0] == f"{ROWS:,}"
        page.goto(f"{site.url}/app/file")
        assert page.get_by_role("row", name="done").is_visible()
    assert journalled(site) == ROWS  # each once
    with opened(site.database) as engine:
        assert verify(engine).findings == []


def test_a_server_that_is_away_is_said_to_be_and_nothing_typed_is_lost(
    browser: Browser, sqlite_site: Site
) -> None:
    with Visit.begin(browser) as visit:
        page = sqlite_site.open_page(visit, "app/employee")
        page.get_by_role("link", name="a person at risk").click()
        page.get_by_role("button", name="Try changes").click()
        income, said = page.get_by_label("Monthly income"), page.get_by_text("The service does not answer")
        assert not said.is_visible()
        sqlite_site.server.kill()
        income.fill("2345")
        income.blur()
        said.wait_for()
        sqlite_site.restart()
        page.get_by_label("Overtime").select_option("Non")
        page.get_by_role("row", name="Overtime: yes → no").wait_for()
        assert income.input_value() == "2345"
        assert not said.is_visible()


def test_a_form_that_found_no_server_is_sent_again_by_a_reload(browser: Browser, sqlite_site: Site) -> None:
    with Visit.begin(browser) as visit:
        page = sqlite_site.open_page(visit, "app/employee")
        page.get_by_role("link", name="a person at risk").click()
        page.get_by_label("Monthly income").fill("2345")
        sqlite_site.server.kill()
        with page.expect_event("requestfailed"):
            page.get_by_role("button", name="Estimate the risk").click(no_wait_after=True)
        sqlite_site.restart()
        page.reload()
        page.locator(".verdict").wait_for()
        assert page.get_by_label("Monthly income").input_value() == "2345"


@contextmanager
def half_sent(page: Page, site: Site, path: Path) -> Iterator[Path]:
    """Begin to send a file on a slow line, and yield the folder where some of it lies already."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000},
    )
    before = coming(site)  # what a dead worker left is kept for a while
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Check the file").click(no_wait_after=True)
    wait_until(lambda: len(coming(site)) > len(before))
    page.get_by_role("progressbar").wait_for()
    [half] = coming(site) - before
    yield half
    if not page.is_closed():
        network.detach()  # nothing is slow any more


def coming(site: Site) -> set[Path]:
    """Return the folders of uploads that are not whole."""
    return {*(site.home / "jobs").glob("*.part")}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that is sent for some seconds where the line is slow."""
    path = tmp_path_factory.mktemp("upload") / "large.csv"
    path.write_bytes(csv_of(pd.concat([employees(300)] * 100).assign(employee_id=range(30_000))))
    return path


def test_a_file_that_is_half_sent_when_the_server_goes_is_sent_again(
    browser: Browser, sqlite_site: Site, large: Path
) -> None:
    with Visit.begin(browser) as visit:
        page = sqlite_site.open_page(visit, "app/file")
        before = page.locator("tbody tr").count()
        with half_sent(page, sqlite_site, large):
            sqlite_site.server.kill()
            page.get_by_text("The service does not answer").wait_for()
            assert not page.get_by_role("progressbar").is_visible()
        sqlite_site.restart()
        page.get_by_role("button", name="Check the file").click()  # the file is still chosen
        page.get_by_text("Nothing is scored yet").wait_for(timeout=PATIENCE)
        page.goto(f"{sqlite_site.url}/app/file")
        assert page.locator("tbody tr").count() == before + 1  # of half a file nothing is shown


def test_of_a_file_whose_sender_leaves_nothing_is_kept(
    browser: Browser, sqlite_site: Site, large: Path
) -> None:
    with Visit.begin(browser) as visit:
        page = sqlite_site.open_page(visit, "app/file")
        with half_sent(page, sqlite_site, large) as half:
            page.close(run_before_unload=False)
            wait_until(lambda: not half.exists(), lambda: sqlite_site.server.process.output)


def test_a_worker_is_killed_between_two_forms(site: Site) -> None:
    with site.visitor() as client:
        fields = values_in(client.get("/app/employee?example=risk"))
        for _ in range(2):
            site.server.process.workers()[0].kill()
            # On connections of their own, while there is one worker, and then another new one.
            answers = [send(client, "/app/employee", fields) for _ in range(6)]
            assert {answer.status_code for answer in answers} == {200}
            assert all("Risque de départ élevé" in words(answer) for answer in answers)
            wait_until(lambda: len(site.server.process.workers()) == 2, lambda: site.server.process.output)
