"""The gate around an app of its own; what it lets through on the real service is in test_service."""

import base64
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio
import pytest
from sqlalchemy import Engine

from churn.access.gate import Gate, is_open, verifier
from churn.access.tokens import issue_token
from churn.access.users import add_user
from churn.errors import UnauthorizedError
from churn.storage.exchanges import Caller

Message = MutableMapping[str, Any]


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def call(gate_of: Callable[[Any], Gate], path: str, *authorization: str, kind: str = "http") -> list[Message]:
    """Return what an app behind the gate was called with; the caller is in its state."""
    seen: list[Message] = []
    sent: list[Message] = []

    async def app(scope: Message, receive: object, send: object) -> None:
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", value.encode("latin-1")) for value in authorization]
    scope = {"type": kind, "path": path, "headers": headers, "state": {}}
    run: Callable[..., Awaitable[None]] = gate_of(app)
    anyio.run(run, scope, receive, send)
    return seen or sent


def test_a_token_and_a_user_pass_and_are_named(engine: Engine) -> None:
    secret = issue_token(engine, "payroll")
    key = add_user(engine, "marie", "correct horse é")
    verify = verifier(engine)
    [scope] = call(lambda app: Gate(app, verify), "/predict", f"Bearer {secret}")
    assert (scope["state"]["caller"].kind, scope["state"]["caller"].name) == ("token", "payroll")
    [scope] = call(lambda app: Gate(app, verify), "/predict", f"bearer  {secret} ")
    assert scope["state"]["caller"].kind == "token"
    [scope] = call(lambda app: Gate(app, verify), "/predict", basic("marie", "correct horse é"))
    assert scope["state"]["caller"] == Caller("user", key, "marie", frozenset({"predict", "history"}))


@pytest.mark.parametrize(
    "authorization",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        ("Bearer wrong",),
        ("Bearer " + "x" * 5000,),
        ("Bearer caf\xe9",),
        ("Basic",),
        ("Basic !!!",),
        ("Basic " + base64.b64encode(b"nocolon").decode(),),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(),),
        (basic("marie", "wrong password"),),
        (basic("marie", "nul\x00"),),
        (basic("marie\x00", "correct horse"),),
        (basic("", ""),),
        (basic("marie", "x" * 100),),
        ("Digest username=marie",),
        ("Bearer a", "Bearer b"),
    ],
    ids=lambda values: repr(values)[:40],
)
def test_nobody_else_passes(engine: Engine, authorization: tuple[str, ...]) -> None:
    add_user(engine, "marie", "correct horse")
    verify = verifier(engine)
    with pytest.raises(UnauthorizedError):
        call(lambda app: Gate(app, verify), "/predict", *authorization)


def test_credentials_are_checked_off_the_event_loop() -> None:
    threads: set[int] = set()

    def verify(_: str) -> Caller:
        threads.add(threading.get_ident())
        return Caller("token", scopes=frozenset({"predict"}))

    for authorization in ("Bearer x", basic("marie", "x")):
        call(lambda app: Gate(app, verify), "/predict", authorization)
    assert threads
    assert threading.get_ident() not in threads


def nobody(_: str) -> Caller | None:
    return None


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/"])
def test_open_paths_need_no_credentials(path: str) -> None:
    [scope] = call(lambda app: Gate(app, nobody), path)
    assert "caller" not in scope["state"]


@pytest.mark.parametrize(
    "path",
    [
        "/health/",
        "/healthy",
        "//",
        "/static_content",
        "/metrics",
        "/schema.json",
        "/HEALTH",
        "/predict/../health",
    ],
)
def test_what_only_looks_open_is_closed(path: str) -> None:
    assert not is_open(path)


def test_the_lifespan_passes_and_a_websocket_is_closed() -> None:
    [scope] = call(lambda app: Gate(app, nobody), "", kind="lifespan")
    assert scope["type"] == "lifespan"
    assert call(lambda app: Gate(app, nobody), "/health", kind="websocket") == [
        {"type": "websocket.close", "code": 1008}
    ]
