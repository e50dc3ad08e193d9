"""Every route of the served application, with every kind of caller: only those whom the gate lets in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.routing import Route as PageRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import ASGIApp
from starlette.websockets import WebSocketDisconnect

from churn.access import login_throttle
from churn.access.roles import SCOPES as ALL_SCOPES
from churn.access.throttle import BackoffPolicy
from churn.access.tokens import new_secret, revoke_token
from churn.access.users import set_active
from churn.web.middleware.metrics import Metrics
from churn.web.middleware.security_headers import SecurityHeaders
from churn.web.routes import ELSEWHERE, ROUTES, Route, RouteTable
from harness.identities import a_token, a_user, basic, bearer
from scripts import page_forms
from tests.conftest import Served
from tests.support.company import EXAMPLE

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "M-SEARCH")
BODIES = {
    "/predict": EXAMPLE,
    "/predict_batch": [EXAMPLE],
    "/what_if": {"employee": EXAMPLE, "changes": {}},
    "/outcomes": {"outcomes": [{"employee_id": 1, "known_until": "2026-01-31"}]},
    "/predictions/{id}/review": {"verdict": "agree"},
}
NOBODY = "0123abcd-0123-7abc-89ab-0123456789ab"  # the id of no prediction
FILES = {"/predict_file": {"file": ("employees.csv", b"age\n40\n")}}


@pytest.fixture(autouse=True)
def unthrottled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one address fail as often as these tests do; throttling has tests of its own."""
    for name in ("PER_ADDRESS", "PER_USER"):
        monkeypatch.setattr(login_throttle, name, BackoffPolicy(free=1_000_000))


def filled(path: str, key: str = NOBODY) -> str:
    """Return a path with an id in the place of one."""
    return path.replace("{id:uuid}", key).replace("{id}", key)


def form(path: str) -> str:
    """Return the path by which the table knows a route."""
    return ROUTES[path].path


# Every path that is served; of the forms, that of no prediction.
ADDRESSES = {filled(route.path) for route in ROUTES.routes if route.is_documented}


def paths(routes: list[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Return the paths of routes and of what is mounted beneath them; of static files, some path."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        inner = getattr(route, "routes", None)
        if inner:
            yield from paths(inner, path)
        elif type(route).__name__ == "Mount":
            yield f"{path}/anything.js"
        else:
            yield filled(path)


@pytest.fixture
def served_paths(app: ASGIApp) -> list[str]:
    """Return every path that the application has a route for, but for pages: test_pages has those."""
    routes: Any = app
    while not hasattr(routes, "routes"):
        routes = routes.app
    found = {*paths(list(routes.routes)), *ADDRESSES, "/assets/none.000000000000.js"}
    return sorted(path for path in found if not ROUTES[path].is_page)


def strangers(engine: Engine) -> dict[str, str]:
    """Return headers that open nothing, by what is wrong with them."""
    a_user(engine, "marie")
    a_user(engine, "gone")
    revoked = a_token(engine, "revoked")
    with engine.begin() as connection:
        set_active(connection, "gone", is_active=False)
        revoke_token(connection, "revoked")
    right = a_token(engine, "right")
    return {
        "none": "",
        "no such token": bearer(new_secret()),
        "a typo": bearer(right[:-1] + ("0" if right[-1] != "0" else "1")),
        "expired": bearer(a_token(engine, "expired", lifetime=timedelta(seconds=-1))),
        "revoked": bearer(revoked),
        "another scheme": f"Digest {right}",
        "twice": f"{bearer(right)}, {bearer(right)}",
        "disabled": basic("gone"),
        "a wrong password": basic("marie", "not the password"),
    }


def statuses(client: TestClient, method: str, path: str, authorization: str) -> int:
    headers = {"Authorization": authorization} if authorization else {"Authorization": " "}
    if method == "POST" and path in FILES:
        return client.post(path, headers=headers, files=FILES[path]).status_code
    body = BODIES.get(form(path), {}) if method == "POST" else None
    return client.request(method, path, headers=headers, json=body).status_code


def test_the_application_has_the_routes_of_the_table(served: Served, served_paths: list[str]) -> None:
    admin = bearer(a_token(served.engine, "root", scopes=["admin"]))
    key = served.client.post("/predict", json=EXAMPLE).json()["prediction_id"]
    for path in served_paths:
        method = ROUTES[path].methods[0]
        status = statuses(served.client, method, path.replace(NOBODY, key), admin)
        if path.startswith("/jobs/"):  # there is no such job; but there is a route
            assert (status, statuses(served.client, "PUT", path, admin)) == (404, 405), path
        else:
            assert (status in (200, 202)) == (path in ADDRESSES), path
            assert status in (200, 202, 404), path


def test_without_credentials_only_open_paths_answer(served: Served, served_paths: list[str]) -> None:
    for path in served_paths:
        for method in METHODS:
            status = statuses(served.client, method, path, "")
            if ROUTES[path].is_open:
                assert status in (200, 404, 405), (method, path)
            else:
                assert status == 401, (method, path)


def test_with_wrong_credentials_nothing_closed_answers(served: Served, served_paths: list[str]) -> None:
    wrong = strangers(served.engine)
    for path in served_paths:
        for kind, authorization in wrong.items():
            if ROUTES[path].is_open or (kind == "a wrong password" and path not in ADDRESSES):
                continue
            assert statuses(served.client, ROUTES[path].methods[0], path, authorization) == 401, (kind, path)


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_a_scope_opens_what_it_is_for_and_nothing_else(served: Served, scope: str) -> None:
    authorization = bearer(a_token(served.engine, scope, scopes=[scope]))
    for path in ADDRESSES:
        route = ROUTES[path]
        if route.is_open:
            continue
        status = statuses(served.client, route.methods[0], path, authorization)
        opened = (404,) if NOBODY in path else (200, 202)
        is_open = route.scope in (None, scope) or scope in ("admin", route.or_scope)
        assert status in (opened if is_open else (403,)), path


def test_websockets_are_closed_everywhere(served: Served, served_paths: list[str]) -> None:
    for path in served_paths:
        for headers in ({}, {"Authorization": bearer(served.token)}):
            with (
                pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
                served.client.websocket_connect(path, headers=headers),
            ):
                pass


ASSETS = Route("/assets/{asset}", None, is_open=True, is_cacheable=True)
REVIEW = Route("/predictions/{id}/review", "predict")
TABLE = RouteTable([ASSETS, REVIEW])


@pytest.mark.parametrize(
    ("path", "is_served"),
    [
        ("/assets/app.0123abcd4567.js", True),
        ("/assets/app.0123abcd4567.js/", False),
        ("/assets/app.0123abcd4567.js\n", False),
        ("/assets/../app.0123abcd4567.js", False),
        ("/assets/more/app.0123abcd4567.js", False),
        (f"/assets/{'a' * 32}.0123abcd4567.js", False),
        ("/assets/", False),
        ("/assets", False),
        ("app.0123abcd4567.js", False),
        ("/assets/{asset}", False),
        ("", False),
    ],
)
def test_a_form_has_the_paths_of_its_pattern_and_no_other(path: str, is_served: bool) -> None:
    assert TABLE[path] is (ASSETS if is_served else ELSEWHERE)


@pytest.mark.parametrize(
    "path", ["/predictions", "/predictions/", f"/predictions/{NOBODY}", f"/predictions/{NOBODY}/review/"]
)
def test_a_form_may_go_on_after_its_part(path: str) -> None:
    assert TABLE[f"/predictions/{NOBODY}/review"] is REVIEW
    assert TABLE[path] is ELSEWHERE


def test_browsers_keep_what_is_cacheable_and_nothing_else() -> None:
    async def asset(request: Request) -> PlainTextResponse:
        return PlainTextResponse("", status_code=404 if request.path_params["name"].startswith("no") else 200)

    client = TestClient(Metrics(SecurityHeaders(Starlette(routes=[PageRoute("/assets/{name}", asset)]))))
    for name, told in (
        ("app.0123abcd4567.js", "public, max-age=31536000, immutable"),
        ("none.0123abcd4567.js", "no-store"),
        ("app.js", "no-store"),
    ):
        assert client.get(f"/assets/{name}").headers["Cache-Control"] == told


def test_every_page_is_fuzzed_with_the_fields_of_its_own_form() -> None:
    fuzzed = page_forms.document(("of a stranger", "of a session"), [NOBODY])["paths"]
    pages = {route.path for route in ROUTES.routes if route.is_page and not route.is_cacheable}
    assert fuzzed.keys() == pages - {*page_forms.LEFT_OUT}
    for path, operations in fuzzed.items():
        assert {*operations} == {method.lower() for method in ROUTES[filled(path)].methods}, path
