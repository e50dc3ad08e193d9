"""A site: the pages of a real server with two workers, and people who have a password for them."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import FrameLocator, Page

from churn.database import schema
from churn.database.engine import opened
from churn.model.registry import ServedModel
from harness import chromium, postgres
from harness.identities import PASSWORD, a_user
from harness.servers import PATIENCE, RestartableServer, environment, home_beside
from tests.support import pages
from tests.support.browser import Visit

PEOPLE = {"marie": "analyst", "ruth": "auditor", "root": "admin"}
SPACE = "https://space.example"  # a site that frames ours
REFUSED = re.compile(r"the server responded with a status of 4\d\d")  # the browser says so of any such page


@dataclass(frozen=True)
class Site:
    """A server with two workers, and its database."""

    server: RestartableServer
    database: str
    env: dict[str, str]

    @property
    def url(self) -> str:
        """Its address."""
        return self.server.url

    @property
    def home(self) -> Path:
        """Its own folder."""
        return Path(self.env["BENTOML_HOME"])

    def restart(self) -> None:
        """Start the server again, on the same port, after it was stopped or killed."""
        self.server.start()
        self.server.await_ready(is_ready)

    def open_page(self, visit: Visit, path: str, name: str = "marie") -> Page:
        """Open a page as somebody who has to sign in first."""
        visit.page.goto(f"{self.url}/{path}")
        chromium.sign_in(visit.page, name)
        visit.page.wait_for_url(f"**/{path}")
        return visit.page

    @contextmanager
    def visitor(self, name: str = "marie") -> Iterator[httpx2.Client]:
        """Yield a browser without scripts that is signed in.

        Each call is on a connection of its own, so that any worker may answer.
        """
        fresh = httpx2.Limits(max_keepalive_connections=0)
        with httpx2.Client(
            base_url=self.url, follow_redirects=True, timeout=PATIENCE, limits=fresh
        ) as client:
            assert pages.sign_in(client, name).status_code == 303
            yield client

    def cookies(self, name: str = "marie") -> dict[str, str]:
        """Return the cookies of somebody who has signed in."""
        with self.visitor(name) as client:
            return dict(client.cookies)

    def assert_sound(self, visit: Visit) -> None:
        """Fail where the browser complained, a page asked another host, or it is too wide."""
        assert [text for text in visit.complaints if not REFUSED.search(text)] == []
        assert visit.origins == {self.url}
        assert visit.overflow == 0


def open_in_frame(page: Page, address: str) -> FrameLocator:
    """Open a page inside a frame of another site, as somebody who has to sign in first."""
    frame = f'<!doctype html><iframe width="1200" height="700" src="{address}"></iframe>'
    page.route(f"{SPACE}/*", lambda route: route.fulfill(body=frame, content_type="text/html"))
    page.goto(f"{SPACE}/")
    inside = page.frame_locator("iframe")
    inside.locator("#username").fill("marie")
    inside.locator("#password").fill(PASSWORD)
    inside.locator("main").get_by_role("button").click()
    return inside


def is_ready(said: Mapping[str, Any]) -> bool:
    """Return whether the answer of `/readyz` says so."""
    return bool(said["code"] == 200)


@contextmanager
def serving(model: ServedModel, folder: Path, database: str, **settings: str) -> Iterator[Site]:
    """Yield a site that is ready, on a database that has no schema yet."""
    with opened(database) as engine:
        schema.upgrade(engine)
        for name, role in PEOPLE.items():
            a_user(engine, name, role=role)
    env = environment(
        BENTOML_HOME=str(home_beside(Path(os.environ["BENTOML_HOME"]), folder)),
        CHURN_MODEL=model.tag,
        DATABASE_URL=database,
        CHURN_WORKERS="2",
        **settings,
    )
    with RestartableServer(env) as server:
        server.await_ready(is_ready)
        yield Site(server, database, env)


@pytest.fixture(scope="module")
def sqlite_site(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site on SQLite."""
    folder = tmp_path_factory.mktemp("site")
    with serving(model, folder, f"sqlite:///{folder / 'churn.db'}") as site:
        yield site


@pytest.fixture(scope="module")
def postgresql_site(
    model: ServedModel, postgresql: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Return a site on PostgreSQL."""
    with (
        postgres.database(postgresql) as url,
        serving(model, tmp_path_factory.mktemp("site"), url) as site,
    ):
        yield site


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Site:
    """Return a site on a database of each kind."""
    found: Site = request.getfixturevalue(f"{request.param}_site")
    return found
