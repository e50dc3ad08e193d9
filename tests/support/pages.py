"""Pages as a browser without scripts uses them: it keeps cookies, follows links and sends forms."""

import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import httpx2

from harness import forms
from harness.identities import PASSWORD


def token_in(page: httpx2.Response) -> str:
    """Return the token of the forms in a page."""
    return forms.token_in(page.text)


def send(
    client: httpx2.Client, path: str, fields: Mapping[str, str], page: str | None = None
) -> httpx2.Response:
    """Send the form that a page shows, or that the path itself shows, and do not follow where it leads."""
    token = token_in(client.get(page or path))
    return client.post(path, data={"csrf": token, **fields}, follow_redirects=False)


def sign_in(client: httpx2.Client, name: str, password: str = PASSWORD, target: str = "") -> httpx2.Response:
    """Sign in as a person does, and return where that leads."""
    fields = {"username": name, "password": password, "next": target}
    return send(client, "/sign-in", fields)


def words(page: httpx2.Response) -> str:
    """Return the text of a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


class _Fields(HTMLParser):
    """What the fields of a page hold, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = given["name"]
            self.values[self._select] = ""
        elif tag == "option" and "selected" in given:
            self.values[self._select] = given["value"]
        elif tag == "input" and "name" in given:
            self.values[given["name"]] = given.get("value", "")


def values_in(page: httpx2.Response) -> dict[str, str]:
    """Return what the forms of a page hold, but for their token."""
    fields = _Fields()
    fields.feed(page.text)
    return {name: value for name, value in fields.values.items() if name != "csrf"}


def resend(client: httpx2.Client, page: httpx2.Response, **changes: str) -> httpx2.Response:
    """Send the form that a page shows to where the page came from, with changes."""
    return client.post(page.url.path, data={"csrf": token_in(page), **values_in(page), **changes})
