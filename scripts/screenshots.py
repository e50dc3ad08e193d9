"""Draw README's pictures: pages of a running service, as a browser shows them.

python -m scripts.screenshots

It starts a service of its own on the embedded sample, so the pictures show made-up people only.
"""

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from harness.chromium import executable, sign_in
from harness.identities import PASSWORD
from harness.servers import PROJECT, bentoml_serve, environment
from harness.trained import train

PICTURES = PROJECT / "docs" / "pictures"
USER = "marie"
WIDTH, HEIGHT = 1280, 860


def main() -> None:
    """Start a service, sign in, and draw."""
    chromium = executable()
    if chromium is None:
        raise SystemExit("no Chromium on this machine: install one (on Debian: chromium)")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        train(Path(home), None)
        env = environment(
            BENTOML_HOME=home, CHURN_ENV_FILE=os.devnull, API_USERNAME=USER, API_PASSWORD=PASSWORD
        )
        with bentoml_serve(env) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for language in ("en", "fr"):
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale=language)
                _draw(page, server.url, language)


def _draw(page: Page, url: str, language: str) -> None:
    page.goto(f"{url}/app/employee?example=risk")
    sign_in(page, USER)
    page.wait_for_url("**/app/employee?example=risk")
    page.locator(".actions button").first.click()
    page.locator(".verdict").wait_for()
    page.screenshot(path=PICTURES / f"employee.{language}.png")
    page.locator(".actions button").last.click()
    page.locator(".sides").wait_for()
    page.locator("#heure_supplementaires").select_option("Non")
    page.locator(".bars").wait_for()
    page.screenshot(path=PICTURES / f"what-if.{language}.png")


if __name__ == "__main__":
    main()
