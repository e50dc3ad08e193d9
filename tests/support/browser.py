"""A real browser: the machine's own Chromium, without a window, driven by Playwright."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, ViewportSize, sync_playwright

from harness.chromium import executable
from harness.servers import PROJECT

WIDTHS = (360, 1280)  # a small phone, and a desk
HEIGHT = 800
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page of a made-up public site may frame one on this machine, as a Space's site frames a public one.
    "--disable-features=LocalNetworkAccessChecks",
    # No page reaches another host, whatever it asks for; what it asks for is still seen.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
FAILURES = PROJECT / ".failures"  # what pages looked like in tests that failed
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
_RUN_AXE = """
axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations
  .filter(one => ["serious", "critical"].includes(one.impact))
  .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target}`)))
"""


# Not for the session: while Playwright runs, no other event loop can run in its thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the browser; skip where the machine has none."""
    chromium = executable()
    if chromium is None:
        assert not os.environ.get("CI"), "CI has to install chromium"
        pytest.skip("no Chromium on this machine: install one (on Debian: chromium)")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, headless=True, args=FLAGS)


@dataclass
class Visit:
    """A page in a profile of its own: what it asked for, and what the browser complained about.

    Violations of the content security policy are complaints, too.
    """

    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def begin(
        cls, browser: Browser, width: int = WIDTHS[-1], locale: str = "en-GB", **options: Any
    ) -> Iterator[Self]:
        """Yield an empty page, for a reader of some language; `options` are those of Playwright's context."""
        viewport: ViewportSize = {"width": width, "height": HEIGHT}
        with browser.new_context(viewport=viewport, locale=locale, **options) as context:
            visit = cls(context.new_page())
            context.on("request", visit._note_request)
            context.on("console", visit._note_message)
            context.on("weberror", lambda error: visit.complaints.append(str(error.error)))
            try:
                yield visit
            except BaseException:
                visit.draw_failure()
                raise

    def draw_failure(self) -> None:
        """Draw every page that is open, under the test's name: what it looked like when it failed."""
        test = re.sub(r"\W+", "-", os.environ["PYTEST_CURRENT_TEST"].rpartition("/")[2]).strip("-")
        FAILURES.mkdir(exist_ok=True)
        for number, page in enumerate(self.page.context.pages):
            with suppress(Error):  # a page that hangs has nothing to show
                page.screenshot(path=FAILURES / f"{test}-{number}.png", full_page=True)

    def _note_request(self, request: Request) -> None:
        self.requested.append(request.url)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    @property
    def origins(self) -> set[str]:
        """The origins of everything that was asked for over the network."""
        parts = [urlsplit(url) for url in self.requested]
        return {f"{part.scheme}://{part.netloc}" for part in parts if part.scheme not in ("data", "blob")}

    def barriers(self) -> list[str]:
        """Return what axe-core finds serious or critical on the page, for people with a disability.

        It runs in a world of its own, beside the page's scripts: the page's policy would not let it in.
        """
        session = self.page.context.new_cdp_session(self.page)
        frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
        asked = {"contextId": world, "awaitPromise": True, "returnByValue": True}
        session.send("Runtime.evaluate", {"expression": AXE, "contextId": world})
        found = session.send("Runtime.evaluate", {"expression": _RUN_AXE, **asked})["result"]["value"]
        session.detach()
        return [str(barrier) for barrier in found]

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))
