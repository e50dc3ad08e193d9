"""Hostile workbooks, sent to a real server by REST and through the page: each is refused by name."""

import re
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from churn.database.engine import opened
from churn.ingest.workbook_package import MAX_STYLES
from harness.identities import a_token, a_user, bearer
from harness.servers import PATIENCE, wait_until
from tests.support.jobs import Job, awaited, send
from tests.support.pages import send as send_form
from tests.support.pages import token_in, words
from tests.support.site import Site, sqlite_site
from tests.support.tables import employees
from tests.test_workbook import HOSTILE, MISREAD, SHEET, part, replace_parts, written

__all__ = ["sqlite_site"]  # a fixture

STYLES = "xl/styles.xml"
LINKED = b'<c r="F3"><f>[1]Pay!A1</f><v>1234</v></c>'


def misread(change: Callable[[Any], object], path: Path) -> None:
    written(path, employees(5), change)


def bomb(path: Path) -> None:
    replace_parts(written(path, employees(5)), {"xl/media/image.png": bytes(300 * 1024**2)})


def much_style(path: Path) -> None:
    text = part(written(path, employees(5)), STYLES)
    replace_parts(path, {STYLES: text + b" " * MAX_STYLES})


def many_columns(path: Path) -> None:
    text = part(written(path, employees(5)), SHEET)
    cells = b'<c t="inlineStr"><is><t>a</t></is></c>' * 2_000
    row = b'<row r="1">' + cells + b"</row>"
    replace_parts(
        path, {SHEET: re.sub(rb'<row r="1".*?</row>', lambda _: row, text, count=1, flags=re.DOTALL)}
    )


def a_column_far_away(path: Path) -> None:
    text = part(written(path, employees(5)), SHEET)
    replace_parts(path, {SHEET: text.replace(b'r="B2"', b'r="ZZZZZZ2"')})


MAKERS: Mapping[str, tuple[Callable[[Path], object], str]] = {
    **HOSTILE,
    **{kind: (partial(misread, change), expected) for kind, (change, expected) in MISREAD.items()},
    "bomb": (bomb, "unpacked it is too large"),
    "styles": (much_style, "unpacked it is too large"),
    "columns": (many_columns, "at most 1000 columns"),
    "far away": (a_column_far_away, "a readable .xlsx file"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the workbooks, by what is wrong with them."""
    folder = tmp_path_factory.mktemp("hostile")
    contents = {}
    for kind, (make, _) in MAKERS.items():
        path = folder / f"{kind}.xlsx"
        make(path)
        contents[kind] = path.read_bytes() or b"\n"  # what is empty is refused before it is a job
    assert max(map(len, contents.values())) < 1024**2
    return contents


@pytest.fixture(scope="module")
def jobs(sqlite_site: Site, files: Mapping[str, bytes]) -> dict[str, tuple[httpx2.Client, Job]]:
    """Return the jobs of all of them, each with who has sent it; one process does them all."""
    sent = {}
    for kind, content in files.items():
        with opened(sqlite_site.database) as engine:
            headers = {"Authorization": bearer(a_token(engine, kind)), "Accept-Language": "en"}
        client = httpx2.Client(base_url=sqlite_site.url, headers=headers, timeout=PATIENCE)
        sent[kind] = client, send(client, content, "in.xlsx")
    return sent


@pytest.mark.parametrize("kind", MAKERS)
def test_by_rest(jobs: Mapping[str, tuple[httpx2.Client, Job]], kind: str) -> None:
    client, job = jobs[kind]
    found = awaited(client, job)
    assert found["state"] == "failed"
    assert "correct what follows" in found["error"]
    assert MAKERS[kind][1] in found["problems"][0]["expected"]
    client.close()


@pytest.fixture(scope="module")
def pages(sqlite_site: Site, files: Mapping[str, bytes]) -> dict[str, tuple[httpx2.Client, str]]:
    """Return the addresses of the pages of all of them, each with who has sent it."""
    sent = {}
    for kind, content in files.items():
        with opened(sqlite_site.database) as engine:
            a_user(engine, kind)
        with sqlite_site.visitor(kind) as client:
            cookies = dict(client.cookies)
        client = httpx2.Client(
            base_url=sqlite_site.url, cookies=cookies, follow_redirects=True, timeout=PATIENCE
        )
        token = token_in(client.get("/app/file?lang=en"))
        answer = client.post("/app/file", params={"csrf": token}, files={"file": ("in.xlsx", content)})
        assert answer.status_code == 200, words(answer)
        sent[kind] = client, str(answer.url)
    return sent


@pytest.mark.parametrize("kind", MAKERS)
def test_through_the_page(pages: Mapping[str, tuple[httpx2.Client, str]], kind: str) -> None:
    client, address = pages[kind]
    wait_until(lambda: "correct what follows" in words(client.get(address)))
    assert MAKERS[kind][1] in words(client.get(address))
    assert send_form(client, address, {"action": "score"}, page="/app/file").status_code == 409
    client.close()


def test_what_a_workbook_links_to_is_not_fetched(sqlite_site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        path = linked(tmp_path / "in.xlsx", f"http://127.0.0.1:{other.getsockname()[1]}/pay.xlsx")
        with sqlite_site.visitor() as client:
            token = token_in(client.get("/app/file?lang=en"))
            content = {"file": ("in.xlsx", path.read_bytes())}
            answer = client.post("/app/file", params={"csrf": token}, files=content)
            wait_until(lambda: "Nothing is scored yet" in words(client.get(str(answer.url))))
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()  # nobody has called


def linked(path: Path, target: str) -> Path:
    """Write a workbook one of whose cells has a formula with the value of another workbook."""
    sheet = part(written(path, employees(5)), SHEET)
    names = {name: part(path, name) for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")}
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = '<Relationship Id="{}" Type="{}/{}" Target="{}"{}/>'
    head = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    to_link = relation.format("rId99", office, "externalLink", "externalLinks/externalLink1.xml", "")
    to_other = relation.format("rId1", office, "externalLinkPath", target, ' TargetMode="External"')
    book, relations = names.values()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    link = f'<externalLink xmlns="{main}"><externalBook xmlns:r="{office}" r:id="rId1"/></externalLink>'
    reference = f'<externalReference xmlns:r="{office}" r:id="rId99"/>'
    references = f"<externalReferences>{reference}</externalReferences>"
    replace_parts(
        path,
        {
            SHEET: re.sub(rb'<c r="F3".*?</c>', lambda _: LINKED, sheet, count=1),
            "xl/workbook.xml": book.replace(b"</sheets>", b"</sheets>" + references.encode()),
            "xl/_rels/workbook.xml.rels": relations.replace(
                b"</Relationships>", f"{to_link}</Relationships>".encode()
            ),
            "xl/externalLinks/externalLink1.xml": link.encode(),
            "xl/externalLinks/_rels/externalLink1.xml.rels": f"{head}{to_other}</Relationships>".encode(),
        },
    )
    return path
