"""The gate around an app of its own; what it lets through on the real service is in test_routes."""

import base64
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import bcrypt
import pytest
from sqlalchemy import Engine, event

from churn.access import hashing
from churn.access.authenticator import Authenticator, Rates
from churn.access.credential_cache import BAD, FRESH, GOOD
from churn.access.hashing import THREADS, Hashing
from churn.access.login_throttle import PER_ADDRESS, PER_USER
from churn.access.passwords import NOBODY
from churn.access.token_last_used import TokenLastUsed
from churn.access.tokens import revoke_token
from churn.access.users import set_active, set_password
from churn.access.verifier import Verifier
from churn.core.errors import (
    ChurnError,
    CrossSiteError,
    ForbiddenError,
    NotFoundError,
    SpoolError,
    TooManyRequestsError,
    UnauthorizedError,
)
from churn.journal.call import Call
from churn.schemas.caller import Caller
from churn.web.middleware.gate import Gate
from churn.web.request_state import STATE, RequestState, state_of
from churn.web.routes import ELSEWHERE, ROUTES
from harness.identities import PASSWORD, a_token, a_user, basic, bearer

Message = MutableMapping[str, Any]


@dataclass
class Door:
    """A gate with an app behind it, a clock that goes when told to, and what was journalled."""

    engine: Engine
    rates: Rates = field(default_factory=Rates)
    offline: Mapping[bytes, Caller] = field(default_factory=dict)
    journal_fails: ChurnError | None = None
    now: float = 1000.0
    seen: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    recorded: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.uses = TokenLastUsed(self.engine)
        verifier = Verifier(self.engine, self.offline)
        authenticator = Authenticator(
            verifier, Hashing(), self.uses, self._record, self.rates, clock=lambda: self.now
        )
        self._gate = Gate(self._app, lambda: authenticator)

    async def _record(self, call: Call) -> None:
        if self.journal_fails is not None:
            raise self.journal_fails
        self.recorded.append(call)

    async def _app(self, scope: Message, receive: object, send: object) -> None:
        self.seen.append(scope)

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    async def _receive(self) -> Message:
        return {"type": "http.request"}

    def scope(self, path: str, *authorization: str, **options: Any) -> Message:
        headers = [(b"authorization", value.encode("latin-1")) for value in authorization]
        headers += [
            (name.lower().encode(), value.encode()) for name, value in options.pop("headers", {}).items()
        ]
        plain = {"type": "http", "method": "POST", "path": path, "client": ("203.0.113.7", 5000)}
        state = {STATE: RequestState(route=ROUTES[path])}
        return {**plain, "headers": headers, "state": state, **options}

    def call(self, path: str, *authorization: str, **options: Any) -> Caller:
        """Return the caller that the app was told of."""
        scope = self.scope(path, *authorization, **options)
        anyio.run(self._gate, scope, self._receive, self._send)
        return state_of(self.seen.pop()).caller

    def tell(self, scope: Message) -> None:
        """Hand on what is no request."""
        anyio.run(self._gate, scope, self._receive, self._send)

    def flood(self, scopes: list[Message]) -> list[BaseException | None]:
        """Return how each of many calls at once ended."""
        ends: list[BaseException | None] = [None] * len(scopes)

        async def one(n: int) -> None:
            try:
                await self._gate(scopes[n], self._receive, self._send)
            except Exception as error:  # noqa: BLE001 - told to the test
                ends[n] = error

        async def all_at_once() -> None:
            async with anyio.create_task_group() as group:
                for n in range(len(scopes)):
                    group.start_soon(one, n)

        anyio.run(all_at_once)
        return ends


@pytest.fixture
def door(engine: Engine) -> Iterator[Door]:
    door = Door(engine)
    yield door
    door.uses.close()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list that grows with each password that is hashed."""
    checked: list[bytes] = []
    really_check = bcrypt.checkpw

    def check(password: bytes, stored: bytes) -> bool:
        checked.append(stored)
        return really_check(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    return checked


def test_a_token_and_a_user_pass_and_are_named(door: Door, engine: Engine) -> None:
    secret, key = a_token(engine, "payroll"), a_user(engine, "marie", "correct horse é")
    caller = door.call("/predict", bearer(secret))
    assert (caller.kind, caller.name) == ("token", "payroll")
    assert door.call("/predict", f"bearer  {secret} ").kind == "token"
    caller = door.call("/predict", basic("marie", "correct horse é"))
    assert caller == Caller("user", key, "marie", frozenset({"predict", "history", "ui"}))


@pytest.mark.parametrize(
    "authorization",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        ("Bearer wrong",),
        ("Bearer churn_" + "0" * 72,),
        ("Bearer churn_",),
        ("Bearer " + "x" * 5000,),
        ("Bearer caf\xe9",),
        ("Bearer churn_" + "0" * 71 + "\xe9",),
        ("Basic",),
        ("Basic !!!",),
        ("Basic " + base64.b64encode(b"nocolon").decode(),),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(),),
        (basic("marie", "wrong password"),),
        (basic("marie", "nul\x00"),),
        (basic("marie\x00"),),
        (basic("", ""),),
        (basic("marie", "x" * 100),),
        (basic("m" * 3000),),
        ("Digest username=marie",),
        ("Bearer a", "Bearer b"),
    ],
    ids=lambda values: repr(values)[:40],
)
def test_nobody_else_passes(door: Door, engine: Engine, authorization: tuple[str, ...]) -> None:
    a_user(engine, "marie")
    with pytest.raises(UnauthorizedError):
        door.call("/predict", *authorization)


def test_scopes_are_enforced(door: Door, engine: Engine) -> None:
    reader = bearer(a_token(engine, "reader", scopes=["history"]))
    root = bearer(a_token(engine, "root", scopes=["admin"]))
    for path in ("/predict", "/predict_batch", "/what_if", "/model", "/metrics"):
        with pytest.raises(ForbiddenError):
            door.call(path, reader)
        assert door.call(path, root).name == "root"
    assert door.call("/history", reader).name == "reader"


@pytest.mark.parametrize(
    "path",
    [
        "/health/",
        "/healthy",
        "//",
        "/static_content",
        "/HEALTH",
        "/predict/../health",
        "/predict/",
        "",
        "/ui/gradio_api/call/predict",
        "/ui/assets/a/b.js",
    ],
)
def test_a_path_that_is_not_listed_is_served_to_nobody(door: Door, engine: Engine, path: str) -> None:
    assert ROUTES[path] is ELSEWHERE
    with pytest.raises(UnauthorizedError):
        door.call(path)
    with pytest.raises(NotFoundError):
        door.call(path, bearer(a_token(engine, scopes=["admin"])))


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/"])
def test_open_paths_need_no_credentials(door: Door, path: str) -> None:
    assert door.call(path).kind == "anonymous"


def test_the_lifespan_passes_a_websocket_is_closed_and_the_rest_is_dropped(door: Door) -> None:
    door.tell({"type": "lifespan"})
    assert [scope["type"] for scope in door.seen] == ["lifespan"]
    door.tell(door.scope("/health", type="websocket"))
    assert door.sent == [{"type": "websocket.close", "code": 1008}]
    door.tell(door.scope("/health", type="webtransport"))
    assert len(door.seen) == len(door.sent) == 1


@pytest.mark.parametrize(
    ("host", "headers", "passes"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("127.0.0.1", {"host": "LocalHost"}, True),
        ("127.0.0.1", {"host": "127.0.0.1"}, True),
        ("::1", {"host": "[::1]:3000"}, True),
        ("127.0.0.1", {"host": "churn.example"}, False),
        ("127.0.0.1", {"host": "localhost.churn.example"}, False),
        ("127.0.0.1", {"host": ""}, False),
        ("127.0.0.1", {"Host": "localhost:3000"}, False),  # a second one
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.1", {"x-forwarded-proto": "http"}, False),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, False),
        ("172.17.0.1", {}, False),
        ("testclient", {}, False),
    ],
)
def test_only_this_machine_reads_the_metrics_without_credentials(
    door: Door, host: str, headers: dict[str, str], passes: bool
) -> None:
    options = {"client": (host, 1), "headers": {"host": "localhost:3000", **headers}}
    if passes:
        door.call("/metrics", **options)
    else:
        with pytest.raises(UnauthorizedError):
            door.call("/metrics", **options)
    with pytest.raises(UnauthorizedError):
        door.call("/metrics", "Bearer wrong", **options)
    with pytest.raises(UnauthorizedError):
        door.call("/history", **options)


@pytest.mark.parametrize(
    ("headers", "method", "passes"),
    [
        ({}, "POST", True),
        ({"sec-fetch-site": "same-origin"}, "POST", True),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, "GET", True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, "GET", False),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, "POST", False),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, "GET", False),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"}, "POST", False),
        ({"origin": "https://churn.example", "host": "churn.example"}, "POST", True),
        ({"origin": "https://evil.example", "host": "churn.example"}, "POST", False),
        ({"origin": "null", "host": "churn.example"}, "POST", False),
        ({"origin": "http://[", "host": "churn.example"}, "POST", False),
        ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, "POST", False),
    ],
)
def test_another_site_cannot_use_a_signed_in_browser(
    door: Door, engine: Engine, headers: dict[str, str], method: str, passes: bool
) -> None:
    a_user(engine, "marie")
    options = {"headers": headers, "method": method}
    if passes:
        assert door.call("/model", basic("marie"), **options).name == "marie"
    else:
        with pytest.raises(CrossSiteError):
            door.call("/model", basic("marie"), **options)
    # A browser sends no token by itself: who has one, sent it.
    assert door.call("/model", bearer(a_token(engine)), **options).kind == "token"


def test_a_password_is_hashed_once_for_many_calls(door: Door, engine: Engine, hashed: list[bytes]) -> None:
    a_user(engine, "marie")
    ends = door.flood([door.scope("/predict", basic("marie")) for _ in range(50)])
    assert ends == [None] * 50
    for _ in range(20):
        door.now += FRESH
        door.call("/predict", basic("marie"))
    assert len(hashed) == 1
    assert [(one.route, one.caller.name, one.body) for one in door.recorded] == [
        ("sign in", "marie", b'{"address":"203.0.113.7"}')
    ]
    door.now += GOOD
    door.call("/predict", basic("marie"))
    assert len(hashed) == len(door.recorded) == 2


def test_who_is_disabled_or_has_another_password_is_forgotten_in_seconds(door: Door, engine: Engine) -> None:
    for name in ("marie", "paul"):
        a_user(engine, name)
        door.call("/predict", basic(name))
    with engine.begin() as connection:
        set_active(connection, "marie", is_active=False)
        set_password(connection, "paul", "another good one")
    door.now += FRESH
    for name in ("marie", "paul"):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic(name))
    assert door.call("/predict", basic("paul", "another good one")).name == "paul"


def test_a_revoked_token_opens_nothing_in_seconds(door: Door, engine: Engine) -> None:
    secret = a_token(engine, "payroll")
    door.call("/predict", bearer(secret))
    with engine.begin() as connection:
        revoke_token(connection, "payroll")
    door.now += FRESH
    with pytest.raises(UnauthorizedError):
        door.call("/predict", bearer(secret))


def test_guesses_by_name_wait_longer_each_time(door: Door, engine: Engine, hashed: list[bytes]) -> None:
    a_user(engine, "marie")
    door.call("/predict", basic("marie"))
    hashed.clear()
    for n in range(PER_USER.free + 1):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic("marie", f"guess number {n}"))
    waits = []
    for n in range(4):
        guess = basic("marie", f"another guess, number {n}")
        with pytest.raises(TooManyRequestsError) as caught:
            door.call("/predict", guess, client=(f"198.51.100.{n}", 1))
        waits.append(caught.value.wait)
        door.now += caught.value.wait
        with pytest.raises(UnauthorizedError):
            door.call("/predict", guess)
    assert waits == [1, 2, 4, 8]
    assert len(hashed) == PER_USER.free + 1 + 4  # none for those who were sent away
    # Who has signed in lately is not held back by the guesses of others.
    assert door.call("/predict", basic("marie")).name == "marie"
    door.now += GOOD - 10
    assert door.call("/predict", basic("marie")).name == "marie"


def test_a_name_that_is_too_long_for_anybody_costs_nothing(door: Door, hashed: list[bytes]) -> None:
    for length, times in ((65, 0), (64, 1)):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic("m" * length))
        assert len(hashed) == times


def test_a_name_that_nobody_has_is_throttled_as_any(door: Door) -> None:
    for n in range(PER_USER.free + 1):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic("nobody", f"guess number {n}"))
    with pytest.raises(TooManyRequestsError):
        door.call("/predict", basic("nobody", "one more guess"))


def test_a_program_that_repeats_what_is_wrong_guesses_once_and_costs_little(
    door: Door, engine: Engine, hashed: list[bytes]
) -> None:
    a_user(engine, "marie")
    for _ in range(100):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic("marie", "the password of before"))
        door.now += BAD / 50
    assert 2 <= len(hashed) <= 3
    assert door.call("/predict", basic("marie")).name == "marie"


def test_who_floods_waits_behind_who_does_not(door: Door, engine: Engine, hashed: list[bytes]) -> None:
    a_user(engine, "marie")
    scopes = [door.scope("/predict", basic(f"name {n}", "wrong horse")) for n in range(THREADS + 5)]
    scopes.append(door.scope("/predict", basic("marie"), client=("198.51.100.1", 1)))
    ends = door.flood(scopes)
    assert ends[-1] is None
    assert {type(end) for end in ends[:-1]} == {UnauthorizedError}
    [turn] = [n for n, stored in enumerate(hashed) if stored != NOBODY.encode()]
    assert turn <= THREADS  # after those that had begun


def test_of_too_many_who_wait_those_who_flood_are_refused(
    door: Door, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "MOST_WAITING", 2)
    a_user(engine, "marie")
    scopes = [door.scope("/predict", basic(f"name {n}", "wrong horse")) for n in range(THREADS + 5)]
    scopes.append(door.scope("/predict", basic("marie"), client=("198.51.100.1", 1)))
    ends = door.flood(scopes)
    assert ends[-1] is None
    assert [type(end) for end in ends].count(TooManyRequestsError) == 4


def test_what_was_refused_cannot_be_replayed_from_one_address(
    door: Door, engine: Engine, hashed: list[bytes]
) -> None:
    a_user(engine, "marie")
    for n in range(PER_USER.free + 1):
        with pytest.raises(UnauthorizedError):
            door.call("/predict", basic("marie", f"guess number {n}"), client=(f"198.51.100.{n}", 1))
    hashed.clear()
    door.now += BAD
    replayed = [door.scope("/predict", basic("marie", f"guess number {n}")) for n in range(PER_USER.free + 1)]
    for _ in range(10):
        ends = door.flood(replayed)
        door.now += BAD
    assert {type(end) for end in ends} == {TooManyRequestsError, UnauthorizedError}
    assert PER_ADDRESS.free < len(hashed) < PER_ADDRESS.free + 10
    # Nobody else is held back by it: neither whose name it is, nor who comes from there.
    assert door.call("/predict", basic("marie")).name == "marie"
    assert door.call("/predict", bearer(a_token(engine))).kind == "token"


def test_a_password_is_hashed_once_however_it_is_spelt(
    door: Door, engine: Engine, hashed: list[bytes]
) -> None:
    a_user(engine, "anne")
    _, encoded = basic("anne").split()
    spellings = [
        f"{scheme}{' ' * n}{encoded}" for scheme in ("Basic", "bASIC", " basic") for n in range(1, 9)
    ]
    # The last bits of what is padded say nothing, and most readers overlook them.
    assert encoded.endswith("=")
    place = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    digit = encoded.rstrip("=")[-1]
    spellings.append(f"Basic {encoded.replace(digit + '=', place[place.index(digit) + 1] + '=')}")
    for spelling in spellings:
        assert door.call("/predict", spelling).name == "anne"
    assert len(hashed) == len(door.recorded) == 1


def test_a_right_password_is_no_failure_where_the_sign_in_cannot_be_journalled(
    door: Door, engine: Engine
) -> None:
    a_user(engine, "marie")
    door.journal_fails = SpoolError("the spool is full")
    for _ in range(PER_USER.free + 2):
        with pytest.raises(SpoolError):
            door.call("/predict", basic("marie"))
    door.journal_fails = None
    assert door.call("/predict", basic("marie")).name == "marie"


def test_where_a_caller_comes_from_is_an_address_or_nothing(door: Door, engine: Engine) -> None:
    secret = a_token(engine)
    for host, told in (
        ("evil <text>", ""),
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::/64"),
    ):
        scope = door.scope("/predict", bearer(secret), client=(host, 1))
        door.flood([scope])
        assert state_of(scope).address == told


def test_guesses_from_one_address_wait_whatever_the_name(door: Door, engine: Engine) -> None:
    network = [f"2001:db8::{n:x}" for n in range(60)]
    guesses = [door.scope("/predict", bearer(host), client=(host, 1)) for host in network]
    ends = [type(end) for end in door.flood(guesses)]
    assert ends.count(UnauthorizedError) == PER_ADDRESS.free + 1
    assert ends.count(TooManyRequestsError) == 60 - PER_ADDRESS.free - 1
    secret = a_token(engine)
    with pytest.raises(TooManyRequestsError):
        door.call("/predict", bearer(secret), client=("2001:db8::ffff", 1))
    assert door.call("/predict", bearer(secret), client=("2001:db8:1::1", 1)).kind == "token"


def test_an_office_behind_one_address_signs_in(door: Door, engine: Engine) -> None:
    secrets = [a_token(engine, f"token {n}") for n in range(60)]
    for secret in secrets:
        assert door.call("/predict", bearer(secret)).kind == "token"


def test_each_caller_has_a_rate(engine: Engine) -> None:
    door = Door(engine, Rates(users=2, tokens=5))
    a_user(engine, "marie")
    for authorization, most in ((basic("marie"), 4), (bearer(a_token(engine)), 10)):
        for _ in range(most):
            door.call("/predict", authorization)
        with pytest.raises(TooManyRequestsError) as caught:
            door.call("/predict", authorization)
        assert 0 < caught.value.wait <= 0.5
    door.now += 1
    assert door.call("/predict", basic("marie")).name == "marie"
    door.uses.close()


def test_a_refused_sign_in_names_the_user_whose_password_it_was_not(door: Door, engine: Engine) -> None:
    a_user(engine, "marie")
    for name, told in (("marie", "marie"), ("my password by mistake", None)):
        scope = door.scope("/predict", basic(name, "wrong password"))
        [end] = door.flood([scope])
        assert isinstance(end, UnauthorizedError)
        state = state_of(scope)
        assert (state.caller.kind, state.caller.name) == ("anonymous", told)
        assert state.address == "203.0.113.7"


def test_a_remembered_caller_costs_no_query(door: Door, engine: Engine) -> None:
    secret = a_token(engine)
    door.call("/predict", bearer(secret))
    door.uses.close()
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    door.call("/predict", bearer(secret))
    assert not asked


def test_passwords_are_hashed_off_the_event_loop(door: Door, engine: Engine) -> None:
    a_user(engine, "marie", PASSWORD, rounds=10)  # long enough for others to be heard meanwhile
    ticks = 0

    async def both() -> None:
        nonlocal ticks
        done = anyio.Event()

        async def tick() -> None:
            nonlocal ticks
            while not done.is_set():
                ticks += 1
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(tick)
            scope = door.scope("/predict", basic("marie"))
            await door._gate(scope, door._receive, door._send)
            done.set()

    anyio.run(both)
    assert ticks > 100
