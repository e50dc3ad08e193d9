"""The pages of a file: sent, understood, scored, read, downloaded, and gone again."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pandas as pd
import pytest
from playwright.sync_api import Browser
from sqlalchemy import select
from starlette.testclient import TestClient

from churn.database import tables
from harness.identities import a_user
from harness.servers import wait_until
from tests.conftest import Served
from tests.support.browser import WIDTHS, Visit, browser
from tests.support.jobs import csv_of
from tests.support.pages import send, sign_in, token_in, words
from tests.support.site import Site, sqlite_site
from tests.support.tables import employees
from tests.test_hostile_workbooks import bomb

__all__ = ["browser", "sqlite_site"]  # fixtures

PATH = "/app/file"
N = 120


@pytest.fixture
def marie(served: Served) -> TestClient:
    """Return the browser of an analyst who is signed in."""
    a_user(served.engine, "marie")
    del served.client.headers["Authorization"]
    assert sign_in(served.client, "marie").status_code == 303
    return served.client


def table(n: int = N) -> pd.DataFrame:
    """Return employees, one of whom cannot be scored."""
    people = employees(n)
    people.loc[7, "revenu_mensuel"] = -1
    return people


def upload(
    client: httpx2.Client, content: bytes, name: str = "people.csv", token: str = ""
) -> httpx2.Response:
    """Send a file as the form does, and do not follow where that leads."""
    token = token or token_in(client.get(PATH))
    return client.post(PATH, params={"csrf": token}, files={"file": (name, content)}, follow_redirects=False)


def checked(client: httpx2.Client, content: bytes | None = None) -> str:
    """Return the address of a file that is checked."""
    sent = upload(client, csv_of(table()) if content is None else content)
    assert sent.status_code == 303, words(sent)
    address = f"/app/{sent.headers['Location']}"
    await_text(client, address, "Rien n'est encore calculé")
    return address


def await_text(client: httpx2.Client, address: str, text: str) -> None:
    """Wait until a page says something."""
    seen: list[str] = []

    def is_there() -> bool:
        seen[:] = [words(client.get(address))]
        return text in seen[0]

    wait_until(is_there, lambda: seen[0][:500])


def scored(client: httpx2.Client) -> str:
    """Return the address of a file that is scored."""
    address = checked(client)
    assert send(client, address, {"action": "score"}).status_code == 303
    await_text(client, address, "risques calculés")
    return address


def test_nothing_is_scored_before_it_is_asked_for(marie: TestClient, served: Served) -> None:
    page = words(marie.get(checked(marie)))
    for text in (
        f"{N} lignes",
        "1 à écarter",
        "séparé par des virgules",
        "UTF-8",
        "colonnes comprises",
        "Problèmes (1)",
    ):
        assert text in page
    assert "un nombre ≥ 0" in page
    with served.engine.connect() as connection:
        assert not connection.execute(select(tables.prediction_results)).all()


def test_the_results_are_shown_the_highest_risk_first_and_journalled(
    marie: TestClient, served: Served
) -> None:
    address = scored(marie)
    page = words(marie.get(address))
    assert f"{N - 1} risques calculés" in page
    assert "1 ligne écartée" in page
    with served.engine.connect() as connection:
        names = connection.execute(select(tables.prediction_results.c.caller_name)).scalars().all()
    assert names == ["marie"] * (N - 1)
    scores = pd.read_csv(
        io.BytesIO(marie.get(f"{address}/result?format=csv&lang=fr").content), sep=";", decimal=","
    )
    assert len(scores) == N - 1
    first = scores.sort_values("probability", ascending=False).iloc[0]
    shown = marie.get(address).text.split("<tbody>")[-1]
    assert f'<th scope="row">{first.employee_id}</th>' in shown.partition("</tr>")[0]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("only=flagged", "personnes"),
        ("search=nobody-has-this", "Personne ne correspond"),
        ("sort=employee_id&order=up", f"{N - 1} personnes"),
        ("page=3", "Page 3 sur 3"),
        ("page=99999", "Page 3 sur 3"),
        ("page=abc&sort=xyz&order=zzz&only=1", "Page 1 sur 3"),
    ],
)
def test_a_page_of_the_results_is_what_the_address_asks_for(
    scored_once: tuple[httpx2.Client, str], query: str, said: str
) -> None:
    client, address = scored_once
    assert said in words(client.get(f"{address}?{query}"))


@pytest.fixture(scope="module")
def scored_once(sqlite_site: Site) -> Iterator[tuple[httpx2.Client, str]]:
    """Return a browser without scripts, and the address of a file that it has had scored."""
    with sqlite_site.visitor() as client:
        yield client, scored(client)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("part", ["result", "rejects"])
def test_downloads_can_be_opened_again(scored_once: tuple[httpx2.Client, str], kind: str, part: str) -> None:
    client, address = scored_once
    answer = client.get(f"{address}/{part}?format={kind}&lang=en")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    readers: dict[str, Any] = {
        "csv": pd.read_csv,
        "xlsx": partial(pd.read_excel, engine="calamine"),
        "parquet": pd.read_parquet,
    }
    assert len(readers[kind](io.BytesIO(answer.content))) == (N - 1 if part == "result" else 1)


def test_a_file_can_be_cancelled(marie: TestClient) -> None:
    address = checked(marie)
    assert send(marie, address, {"action": "cancel"}).status_code == 303
    assert "Annulé" in words(marie.get(address))
    again = send(marie, address, {"action": "score"}) if "csrf" in marie.get(address).text else None
    assert again is None or again.status_code == 409


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("people.docx", b"PK", ".csv"),
        ("people.xls", b"\xd0\xcf\x11\xe0", "xlsx"),
        ("people.xlsm", b"PK", "xlsx"),
        ("", b"", ""),
    ],
)
def test_what_is_no_such_file_is_said_at_the_form(
    marie: TestClient, name: str, content: bytes, said: str
) -> None:
    answer = upload(marie, content, name)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert said in words(answer)
    assert "Vos fichiers" not in words(answer)


def test_a_file_that_cannot_be_read_says_why(marie: TestClient) -> None:
    sent = upload(marie, b"a;b\n1;2\n")
    address = f"/app/{sent.headers['Location']}"
    await_text(marie, address, "n'est pas lisible")
    assert "Problèmes" in words(marie.get(address))


def test_a_forged_form_leaves_nothing(marie: TestClient) -> None:
    for token in ("A" * 43, "é"):
        assert upload(marie, csv_of(table(5)), token=token).status_code == 403
    assert "Vos fichiers" not in words(marie.get(PATH))
    address = checked(marie)
    assert marie.post(address, data={"action": "score"}).status_code == 403
    assert "Rien n'est encore calculé" in words(marie.get(address))


def test_another_user_sees_nothing_of_it(marie: TestClient, served: Served) -> None:
    address = checked(marie)
    a_user(served.engine, "paul")
    paul = TestClient(marie.app, client=("203.0.113.8", 50000))
    sign_in(paul, "paul")
    assert paul.get(address).status_code == 404
    assert paul.get(f"{address}/result").status_code == 404
    form = {"csrf": token_in(paul.get(PATH)), "action": "score"}
    assert paul.post(address, data=form).status_code == 404
    assert "Vos fichiers" not in words(paul.get(PATH))


def test_signing_out_removes_it(marie: TestClient) -> None:
    address = checked(marie)
    send(marie, "/sign-out", {}, page=PATH)
    sign_in(marie, "marie")
    assert marie.get(address).status_code == 404


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (768, "light"), (1280, "light")])
def test_in_a_browser_across_a_reload(
    browser: Browser, sqlite_site: Site, tmp_path: Path, width: int, scheme: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(csv_of(table(300)))
    with Visit.begin(browser, width, color_scheme=scheme) as visit:
        page = sqlite_site.open_page(visit, PATH[1:])
        assert visit.barriers() == []
        page.locator("#file").set_input_files(path)
        page.get_by_role("button", name="Check the file").click()
        page.get_by_text("Nothing is scored yet").wait_for()
        assert visit.barriers() == []
        page.get_by_role("button", name="Score the risks").click()
        page.reload()
        page.get_by_text("risks scored").wait_for()
        assert visit.barriers() == []
        reasons = page.locator("td.reasons").first.bounding_box()
        assert reasons is not None
        assert reasons["x"] + reasons["width"] <= width  # nobody has to scroll sideways for the reasons
        with page.expect_download() as download:
            page.get_by_role("link", name="Excel").first.click()
        assert len(pd.read_excel(download.value.path(), engine="calamine")) == 299
        page.get_by_role("link", name="Next").click()
        page.get_by_text("Page 2 of 6").wait_for()
        sqlite_site.assert_sound(visit)


def test_bad_and_hostile_files_are_refused_where_they_were_chosen(
    browser: Browser, sqlite_site: Site, tmp_path: Path
) -> None:
    wrong, hostile, good = (tmp_path / name for name in ("people.xls", "people.xlsx", "people.csv"))
    wrong.write_bytes(b"\xd0\xcf\x11\xe0")
    bomb(hostile)
    good.write_bytes(csv_of(employees(5)))
    with Visit.begin(browser, WIDTHS[0]) as visit:
        page = sqlite_site.open_page(visit, PATH[1:])
        choose, check = page.locator("#file"), page.get_by_role("button", name="Check the file")
        choose.set_input_files(wrong)
        check.click()
        page.get_by_role("alert").get_by_text(".xlsx").wait_for()
        assert visit.barriers() == []
        choose.set_input_files(hostile)
        check.click()
        page.get_by_text("unpacked it is too large").wait_for()
        assert visit.barriers() == []
        page.get_by_role("link", name="Another file").click()
        choose.set_input_files(good)
        check.click()
        page.get_by_text("Nothing is scored yet").wait_for()
        sqlite_site.assert_sound(visit)


def test_with_the_keyboard_alone(browser: Browser, sqlite_site: Site, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(csv_of(employees(300)))
    with Visit.begin(browser) as visit:
        page = sqlite_site.open_page(visit, PATH[1:])
        page.locator("#file").set_input_files(path)  # a dialog of the system's, which is its own affair
        page.locator("#file").focus()
        for key in ("Tab", "Enter"):
            page.keyboard.press(key)
        page.get_by_text("Nothing is scored yet").wait_for()
        page.get_by_role("link", name="Another file").focus()
        for key in ("Tab", "Enter"):
            page.keyboard.press(key)
        page.get_by_text("risks scored").wait_for()
        page.get_by_label("Employee id").focus()
        page.keyboard.type("nobody has this")
        page.keyboard.press("Enter")
        page.get_by_text("Nobody matches").wait_for()


def test_without_scripts_too(browser: Browser, sqlite_site: Site, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(csv_of(table(20)))
    with Visit.begin(browser, java_script_enabled=False) as visit:
        page = sqlite_site.open_page(visit, PATH[1:])
        page.locator("#file").set_input_files(path)
        page.get_by_role("button", name="Check the file").click()
        page.get_by_role("button", name="Score the risks").click()
        page.get_by_text("risks scored").wait_for()  # the page asks again by itself
