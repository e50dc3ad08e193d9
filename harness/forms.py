"""Forms of the pages, for whoever sends them without a browser."""

import html
import re

import httpx

from harness.identities import PASSWORD

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def token_in(page: str) -> str:
    """Return the token of the forms in a page."""
    found = _TOKEN.search(page)
    assert found, page[:500]
    return html.unescape(found[1])


def sign_in(client: httpx.Client, name: str) -> str:
    """Sign in as a person does, by a client that follows where that leads; return the forms' token there."""
    form = {"csrf": token_in(client.get("/sign-in").text), "username": name, "password": PASSWORD}
    return token_in(client.post("/sign-in", data=form).raise_for_status().text)
