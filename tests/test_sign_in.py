"""Signing in at a real `bentoml serve` with two workers."""

import http.client
import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import httpx2
import pytest

from churn.access.login_throttle import PER_USER
from churn.model.registry import ServedModel
from harness.identities import basic
from harness.servers import PROJECT, Server, bentoml_serve, environment, wait_until
from tests.support.pages import sign_in

USER = ("admin", "correct horse battery")
OTHER = "another good password"
SAMPLES = 24  # connections, so that both workers have some

# What a closed path may be dressed up as.
DISGUISES = (
    "{path}/",
    "{path}//",
    "/{path}",
    "//evil.example{path}",
    "{path};x=1",
    "{path}%00",
    "{path}%20",
    "{path}.json",
    "/health/..{path}",
    "/health/%2e%2e{path}",
    "/static_content/..{path}",
    "/static_content/%2e%2e%2f..{path}",
    "/livez%2f..{path}",
    "/livez%3f{path}",
    "/%2e{path}",
    "/.{path}",
    "http://127.0.0.1{path}",
)
CLOSED = ("/predict", "/predict_batch", "/what_if", "/model", "/history", "/schema.json")


class Site:
    """A server, and the commands of its operator."""

    def __init__(self, server: Server, env: Mapping[str, str]) -> None:
        self.url, self._env = server.url, env

    def churn(self, *words: str, said: str = "") -> str:
        command = [sys.executable, "-m", "churn.cli.main", *words]
        return subprocess.run(
            command, env=self._env, cwd=PROJECT, input=said, check=True, capture_output=True, text=True
        ).stdout

    def statuses(self, authorization: str, count: int = SAMPLES, **headers: str) -> set[int]:
        """Return how calls end, each on a connection of its own."""
        headers = {"Authorization": authorization, **headers}
        return {httpx.get(f"{self.url}/model", headers=headers).status_code for _ in range(count)}

    def await_status(self, authorization: str, status: int) -> None:
        """Wait until every worker answers so."""
        wait_until(lambda: self.statuses(authorization) == {status}, lambda: authorization[:5])

    def raw(self, method: str, target: str) -> tuple[int, str]:
        """Return what is answered to a target that no client has tidied up."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        connection.putrequest(method, target)
        connection.putheader("Content-Length", "0")
        connection.endheaders()
        response = connection.getresponse()
        found = response.status, response.read().decode()
        connection.close()
        return found


def serving(model: ServedModel, folder: Path, **settings: str) -> Iterator[Site]:
    env = environment(
        DATABASE_URL=f"sqlite:///{folder / 'churn.db'}",
        CHURN_MODEL=model.tag,
        CHURN_WORKERS="2",
        API_USERNAME=USER[0],
        API_PASSWORD=USER[1],
        **settings,
    )
    with bentoml_serve(env) as server:
        yield Site(server, {**env, "API_PASSWORD": "", "API_USERNAME": ""})


@pytest.fixture(scope="module")
def site(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from serving(model, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def site_behind_a_proxy(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    yield from serving(model, tmp_path_factory.mktemp("proxied"), CHURN_TRUSTED_PROXIES="127.0.0.1")


def test_what_an_operator_changes_holds_in_every_worker_in_seconds(site: Site) -> None:
    site.churn("user", "add", "marie", "--password-file", "-", said=USER[1])
    assert site.statuses(basic("marie", USER[1])) == {200}
    site.churn("user", "password", "marie", "--password-file", "-", said=OTHER)
    site.await_status(basic("marie", USER[1]), 401)
    assert site.statuses(basic("marie", OTHER)) == {200}
    site.churn("user", "role", "marie", "auditor")
    site.await_status(basic("marie", OTHER), 403)
    site.churn("user", "disable", "marie")
    site.await_status(basic("marie", OTHER), 401)


def test_a_revoked_token_opens_nothing_in_any_worker_in_seconds(site: Site) -> None:
    bearer = f"Bearer {site.churn('token', 'issue', 'payroll', '--expires', '1d').strip()}"
    assert site.statuses(bearer) == {200}
    wait_until(lambda: "never" not in site.churn("token", "list").split("payroll")[1], lambda: "no last use")
    site.churn("token", "revoke", "payroll")
    site.await_status(bearer, 401)


def test_no_disguise_of_a_closed_path_opens_it(site: Site) -> None:
    for path in CLOSED:
        for disguise in DISGUISES:
            for method in ("GET", "POST"):
                status, body = site.raw(method, disguise.format(path=path))
                assert status in (400, 401), (method, disguise, path)
                assert "probability" not in body


def test_only_configured_proxies_say_where_a_caller_comes_from(site: Site, site_behind_a_proxy: Site) -> None:
    def guess(at: Site) -> set[int]:
        found: set[int] = set()
        for n in range(100):
            forwarded = {"X-Forwarded-For": f"198.51.100.{n}"}
            found |= at.statuses(f"Bearer guess-{os.getpid()}-{n}", count=1, **forwarded)
        return found

    assert guess(site_behind_a_proxy) == {401}
    assert guess(site) == {401, 429}


GUESSES = 40


def by_header(at: Site, name: str, password: str, headers: Mapping[str, str]) -> int:
    authorization = {"Authorization": basic(name, password)}
    return httpx.get(f"{at.url}/model", headers={**headers, **authorization}).status_code


def by_page(at: Site, name: str, password: str, headers: Mapping[str, str]) -> int:
    with httpx2.Client(base_url=at.url, headers=headers) as client:
        return sign_in(client, name, password).status_code


@pytest.mark.parametrize("way", [by_header, by_page])
def test_guesses_at_one_name_from_one_address_soon_wait(
    site_behind_a_proxy: Site, way: Callable[[Site, str, str, Mapping[str, str]], int]
) -> None:
    forwarded = {"X-Forwarded-For": f"203.0.113.{len(way.__name__)}"}
    began = time.monotonic()
    found = Counter(
        way(site_behind_a_proxy, way.__name__, f"guess number {n}", forwarded) for n in range(GUESSES)
    )
    waits = math.log2(time.monotonic() - began + 1) + 1  # of a second, two, four, …, that are over by now
    assert set(found) == {401, 429}
    assert found[401] <= 2 * (PER_USER.free + 1 + waits)  # both workers count


def test_one_wrong_password_again_and_again_is_one_guess(site_behind_a_proxy: Site) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.99"}
    site, name, wrong = site_behind_a_proxy, "old-program", "not the password"
    assert {by_header(site, name, wrong, forwarded) for _ in range(GUESSES // 2)} == {401}
    site.churn("user", "add", name, "--password-file", "-", said=USER[1])
    assert by_header(site, name, USER[1], forwarded) == 200  # its owner need not wait
