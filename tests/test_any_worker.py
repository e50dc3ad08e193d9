"""Any worker answers any call: each goes to the worker that did not answer the one before."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from harness.servers import PATIENCE, wait_until
from tests.support.jobs import csv_of
from tests.support.pages import resend, send, sign_in, token_in, values_in, words
from tests.support.site import Site, postgresql_site, site, sqlite_site
from tests.support.tables import employees

__all__ = ["postgresql_site", "site", "sqlite_site"]  # fixtures

N = 40


class Alternating(httpx2.HTTPTransport):
    """Sends each call on a connection of its own, while but one of the workers runs: each in turn."""

    def __init__(self, site: Site) -> None:
        super().__init__(limits=httpx2.Limits(max_keepalive_connections=0))
        self._workers = site.server.process.workers()
        assert len(self._workers) == 2

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Have the worker answer that waited before."""
        self._workers.reverse()
        self._workers[0].suspend()
        try:
            answer = super().handle_request(request)
            answer.read()
            return answer
        finally:
            self._workers[0].resume()


@contextmanager
def visitor(site: Site, name: str) -> Iterator[httpx2.Client]:
    """Yield a browser without scripts that is signed in, and never meets a worker twice in a row."""
    with httpx2.Client(
        transport=Alternating(site), base_url=site.url, follow_redirects=True, timeout=PATIENCE
    ) as client:
        assert sign_in(client, name).status_code == 303
        yield client


@pytest.fixture
def marie(site: Site) -> Iterator[httpx2.Client]:
    """Return the browser of an analyst."""
    with visitor(site, "marie") as client:
        yield client


def test_one_employee_what_if_history_and_a_review(marie: httpx2.Client) -> None:
    form = marie.get("/app/employee?example=risk&lang=en")
    answer = send(marie, "/app/employee", values_in(form))
    assert "High risk of leaving" in words(answer)
    before = send(marie, "/app/what-if", values_in(form), page="/app/employee")
    assert "Overtime: yes → no" in words(resend(marie, before, heure_supplementaires="Non"))
    [key, *_] = [
        part.partition('"')[0] for part in marie.get("/app/history").text.split('href="history/')[1:]
    ]
    page = f"/app/history/{key}"
    review = send(marie, f"{page}/review", {"verdict": "disagree", "comment": "not so"}, page)
    assert review.status_code == 303
    assert "not so" in words(marie.get(page))


def test_a_file(marie: httpx2.Client) -> None:
    token = token_in(marie.get("/app/file"))
    files = {"file": ("people.csv", csv_of(employees(N)))}
    sent = marie.post("/app/file", params={"csrf": token}, files=files, follow_redirects=False)
    address = f"/app/{sent.headers['Location']}"
    wait_until(lambda: 'value="score"' in marie.get(address).text)
    assert send(marie, address, {"action": "score"}).status_code == 303
    wait_until(lambda: "<figcaption>" in marie.get(address).text)
    for _ in range(2):
        assert len(marie.get(f"{address}/result?format=csv").text.splitlines()) == N + 1
    send(marie, "/sign-out", {}, page="/app/file")
    assert [marie.get(address).url.path for _ in range(2)] == ["/sign-in"] * 2


def test_administration(site: Site) -> None:
    with visitor(site, "root") as root:
        added = {"action": "add-user", "name": "nina", "password": "a long password", "role": "auditor"}
        assert send(root, "/app/admin", added).status_code == 200
        assert all("nina" in words(root.get("/app/admin")) for _ in range(2))
        with visitor(site, "ruth") as nina:
            assert sign_in(nina, "nina", "a long password").status_code == 303
            assert {nina.get("/app/model").status_code for _ in range(4)} == {200}
            assert send(root, "/app/admin", {"action": "disable", "name": "nina"}).status_code == 200
            wait_until(lambda: {nina.get("/app/model").url.path for _ in range(2)} == {"/sign-in"})
