"""The machine's own Chromium: where it is, and how people sign in with it."""

import shutil

from playwright.sync_api import Page

from harness.identities import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome")  # on Debian, on others


def executable() -> str | None:
    """Return the browser's path; None where the machine has none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def sign_in(page: Page, name: str = "marie", password: str = PASSWORD) -> None:
    """Fill in the sign-in form that the page shows, and send it."""
    page.locator("#username").fill(name)
    page.locator("#password").fill(password)
    page.locator("main").get_by_role("button").click()
