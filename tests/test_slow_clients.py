"""Requests that take their time, in process: when they are ended, and how."""

import json
import select
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine
from sqlalchemy import select as chosen
from starlette.types import ASGIApp

from churn.database import schema
from churn.database.engine import make_engine
from churn.database.tables import api_responses, requests
from churn.model.registry import ServedModel
from churn.web.endpoints import body_reader
from churn.web.server.protocol import BoundedProtocol
from churn.web.server.slow_clients import Connection, SlowClients
from harness.identities import a_token
from tests.support.company import EXAMPLE
from tests.support.raw_sockets import PATIENCE, Answer, answers, ask, connect, is_last, is_refusal, received

BRIEF = 1.0  # seconds; a whole request takes less on a busy machine, too
HEAD = b"POST /predict HTTP/1.1\r\nAccept-Language: en\r\nHost: h\r\n"


class Counting(SlowClients):
    """Notes each time that a connection begins to wait."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.begun = 0
        self.many = threading.Event()

    def begin(self, connection: Connection) -> None:
        self.begun += 1
        if self.begun > 3:
            self.many.set()
        super().begin(connection)


@contextmanager
def serving(app: ASGIApp, waiting: SlowClients, **options: Any) -> Iterator[str]:
    """Yield the address of the app as uvicorn serves it in this process, with patience of its own."""
    protocol = type("Protocol", (BoundedProtocol,), {"waiting": waiting, **options})
    config = uvicorn.Config(
        app, http=protocol, log_config=None, lifespan="on", timeout_keep_alive=PATIENCE * 10
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Return an engine on a new database; of one kind: the journal's tests have both."""
    engine = make_engine(f"sqlite:///{tmp_path / 'churn.db'}")
    schema.upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def token(engine: Engine, model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return a token's header line; the app serves on that database."""
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHURN_MODEL", model.tag)
    return a_header(engine, "tests")


def a_header(engine: Engine, name: str) -> bytes:
    """Return the header line of a new token."""
    return f"Authorization: Bearer {a_token(engine, name, scopes=('predict',))}\r\n".encode()


def trickled(connection: socket.socket) -> bytes:
    """Send byte after byte until the server says something or closes; return all that it says."""
    for _ in range(10_000):
        readable, _, _ = select.select([connection], [], [], 0.01)
        if readable:
            return received(connection)
        connection.send(b"1")
    pytest.fail("the server took all of it")


def statuses(engine: Engine) -> list[tuple[str, int]]:
    """Return what is journalled: the routes and the statuses."""
    rows = chosen(requests.c.route, api_responses.c.status).join_from(
        requests, api_responses, requests.c.id == api_responses.c.request_id
    )
    with engine.connect() as connection:
        return [(route, status) for route, status in connection.execute(rows)]


class TestHeads:
    def test_one_that_stops_is_told_so(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url:
            [answer] = ask(url, HEAD)
        assert (answer.status, is_refusal(answer), is_last(answer)) == (408, True, True)
        assert b"takes too long to arrive" in answer.body

    def test_one_that_trickles_is_too(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url, connect(url) as connection:
            connection.sendall(HEAD + b"X-Slow: ")
            [answer] = answers(trickled(connection))
        assert answer.status == 408

    def test_one_of_a_later_request_is_too(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url, connect(url) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n" + HEAD)
            first, *others = answers(received(connection))
        assert first.status == 200
        assert [answer.status for answer in others] in ([], [408])  # before or after the first is answered

    def test_a_connection_that_says_nothing_is_told_nothing(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url:
            assert ask(url) == []

    def test_nor_is_one_with_nothing_but_empty_lines(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url, connect(url) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
            said = b""
            while not said.endswith(b"\r\n\r\n\n"):  # it may come in parts
                said += connection.recv(1 << 16)
            assert b" 200 " in said
            connection.sendall(b"\r\n")
            assert received(connection) == b""

    def test_between_two_requests_there_is_more_time(self, app: ASGIApp, token: bytes) -> None:
        waiting = Counting(seconds=BRIEF)
        with serving(app, waiting) as url, httpx.Client(base_url=url) as client:
            assert client.get("/livez").status_code == 200
            assert ask(url) == []  # one that says nothing is ended, and the client's is not
            begun = waiting.begun
            response = client.get("/livez")
            assert response.status_code == 200
            assert waiting.begun == begun  # the same connection, and its request was whole at once


class TestBodies:
    def test_one_that_stops_is_told_so_and_journalled(
        self, app: ASGIApp, engine: Engine, token: bytes
    ) -> None:
        with serving(app, SlowClients(BRIEF)) as url:
            [answer] = ask(url, HEAD + token + b"Content-Length: 1000\r\n\r\n{")
        assert (answer.status, is_refusal(answer), is_last(answer)) == (408, True, True)
        assert statuses(engine) == [("/predict", 408)]

    def test_one_that_is_malformed_is_journalled_by_the_id_that_was_told(
        self, app: ASGIApp, engine: Engine, token: bytes
    ) -> None:
        # All in one read: it is refused before the app has begun.
        with serving(app, SlowClients()) as url:
            [answer] = ask(url, HEAD + token + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n")
        assert (answer.status, is_refusal(answer)) == (400, True)
        with engine.connect() as connection:
            [request_id] = connection.scalars(chosen(requests.c.id))
        assert str(request_id) == answer.headers["x-request-id"]

    @pytest.mark.parametrize(
        "head", [b"Content-Length: 1000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n"]
    )
    def test_one_that_trickles_is_too(self, app: ASGIApp, token: bytes, head: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url, connect(url) as connection:
            connection.sendall(HEAD + token + head)
            [answer] = answers(trickled(connection))
        assert answer.status == 408

    def test_one_that_is_answered_is_closed_without_another_word(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url, connect(url) as connection:
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
            [answer] = answers(connection.recv(1 << 16))
            assert answer.status == 401
            connection.sendall(b"1")
            assert received(connection) == b""

    def test_one_that_comes_fast_enough_may_take_its_time(self, app: ASGIApp, token: bytes) -> None:
        body = json.dumps(EXAMPLE).encode()
        waiting = Counting(seconds=BRIEF, rate=0)
        with serving(app, waiting) as url, connect(url) as connection:
            head = HEAD + token + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
            connection.sendall(head + body[:-1])
            assert waiting.many.wait(PATIENCE)
            connection.sendall(body[-1:])
            [answer] = answers(received(connection))
        assert answer.status == 200

    @pytest.mark.parametrize(("brought", "begun"), [(9, 2), (10, 3)])
    def test_one_that_brings_its_share_gets_more_time(
        self, app: ASGIApp, token: bytes, brought: int, begun: int
    ) -> None:
        waiting = Counting(seconds=BRIEF, rate=10 / BRIEF)
        with serving(app, waiting) as url, connect(url) as connection:
            connection.sendall(HEAD + token + b"Content-Length: 1000\r\n\r\n" + b"1" * brought)
            [answer] = answers(received(connection))
        assert answer.status == 408
        assert waiting.begun == begun  # for a head, for a body, for more of the body

    def test_what_was_promised_before_is_answered(self, app: ASGIApp, token: bytes) -> None:
        with serving(app, SlowClients(BRIEF)) as url:
            found = ask(url, b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n\x01")
        assert [answer.status for answer in found] == [200]


class TestAnswers:
    @pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept open", "closed"])
    def test_one_that_is_not_read_ends_the_connection(
        self, app: ASGIApp, engine: Engine, token: bytes, more: bytes
    ) -> None:
        lost = threading.Event()

        def connection_lost(protocol: BoundedProtocol, exc: Exception | None) -> None:
            BoundedProtocol.connection_lost(protocol, exc)
            if isinstance(exc, TimeoutError):
                lost.set()

        body = json.dumps([EXAMPLE] * 8000).encode()  # its answer is larger than what the system takes
        options = {"unread": int(BRIEF * 1000), "connection_lost": connection_lost}
        with serving(app, SlowClients(PATIENCE), **options) as url, connect(url) as connection:
            connection.sendall(b"POST /predict_batch HTTP/1.1\r\nHost: h\r\n" + token + more)
            connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert lost.wait(PATIENCE)
        assert statuses(engine) == [("/predict_batch", 200)]


class TestEnds:
    def test_what_is_on_its_way_when_a_server_ends_is_answered(self, app: ASGIApp, token: bytes) -> None:
        asked = b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n"
        told = threading.Semaphore(0)

        def shutdown(protocol: BoundedProtocol) -> None:
            BoundedProtocol.shutdown(protocol)
            told.release()

        options = {"shutdown": shutdown, "farewell": PATIENCE}
        with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
            with ExitStack() as running:
                url = running.enter_context(serving(app, SlowClients(PATIENCE), **options))
                new, old = (stack.enter_context(connect(url)) for _ in range(2))
                old.sendall(asked)
                assert [answer.status for answer in answers(old.recv(1 << 16))] == [200]
                ended = pool.submit(running.pop_all().close)
            assert all(told.acquire(timeout=PATIENCE) for _ in range(2))
            for connection in (new, old):
                connection.sendall(asked)
                [answer] = answers(received(connection))
                assert (answer.status, answer.headers["connection"]) == (200, "close")
            ended.result(PATIENCE)

    def test_who_asks_for_nothing_does_not_hold_it_up(self, app: ASGIApp, token: bytes) -> None:
        with ExitStack() as stack:
            with serving(app, SlowClients(PATIENCE * 10), farewell=0.0) as url:
                idle = stack.enter_context(connect(url))
                assert httpx.get(f"{url}/livez").status_code == 200  # the other is accepted by now
            assert received(idle) == b""


class TestShares:
    """What several callers bring at once, of whom none may keep the others from it."""

    PART = body_reader.SMALL + 1  # bytes of a body that are there, while its end is not
    BODY = json.dumps([EXAMPLE]).encode().ljust(PART + 1)

    @contextmanager
    def bringing(self, url: str, tokens: list[bytes]) -> Iterator[list[socket.socket]]:
        """Yield connections, each with a large body of which the last byte is to come."""
        head = b"POST /predict_batch HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n" % len(self.BODY)
        with ExitStack() as stack:
            found = [stack.enter_context(connect(url)) for _ in tokens]
            for connection, token in zip(found, tokens, strict=True):
                connection.sendall(head + token + b"\r\n" + self.BODY[:-1])
            yield found

    def said(self, connection: socket.socket) -> Answer:
        [answer] = answers(connection.recv(1 << 16))
        return answer

    def one_is_refused(self, connections: list[socket.socket]) -> None:
        """Assert that one of them is told to come again, and that the others are answered when whole."""
        [refused], _, _ = select.select(connections, [], [], PATIENCE)
        answer = self.said(refused)
        assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
        for connection in connections:
            if connection is not refused:
                connection.sendall(self.BODY[-1:])
                assert self.said(connection).status == 200

    def test_one_caller_brings_a_few_and_others_theirs(
        self, app: ASGIApp, engine: Engine, token: bytes
    ) -> None:
        another = a_header(engine, "another")
        with serving(app, SlowClients(PATIENCE)) as url:
            for _ in range(2):  # what was held is let go
                with (
                    self.bringing(url, [token] * (body_reader.MAX_EACH + 1)) as connections,
                    self.bringing(url, [another]) as [others],
                ):
                    others.sendall(self.BODY[-1:])
                    assert self.said(others).status == 200
                    self.one_is_refused(connections)

    def test_one_caller_holds_a_share_and_others_theirs(
        self, app: ASGIApp, engine: Engine, token: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(body_reader, "MAX_HELD", 2 * len(self.BODY) * body_reader.SHARE)
        another = a_header(engine, "another")
        with (
            serving(app, SlowClients(PATIENCE)) as url,
            self.bringing(url, [token] * 3) as connections,
            self.bringing(url, [another] * 2) as others,
        ):
            for connection in others:
                connection.sendall(self.BODY[-1:])
                assert self.said(connection).status == 200
            self.one_is_refused(connections)

    def test_all_together_hold_no_more_than_there_is_room_for(
        self, app: ASGIApp, engine: Engine, token: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(body_reader, "MAX_HELD", len(self.BODY) * body_reader.SHARE)
        tokens = [token, *(a_header(engine, f"another {n}") for n in range(body_reader.SHARE))]
        with serving(app, SlowClients(PATIENCE)) as url, self.bringing(url, tokens) as connections:
            self.one_is_refused(connections)


class TestRoom:
    def test_the_one_that_waits_longest_makes_room(self, app: ASGIApp, token: bytes) -> None:
        with (
            serving(app, SlowClients(PATIENCE * 10, at_most=2)) as url,
            connect(url) as first,
            connect(url) as second,
            connect(url) as third,
        ):
            assert received(first) == b""
            for connection in (second, third):
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                assert [answer.status for answer in answers(received(connection))] == [200]

    def test_a_body_of_somebody_known_stays_and_others_make_room(self, app: ASGIApp, token: bytes) -> None:
        half = b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
        with (
            serving(app, SlowClients(PATIENCE * 10, at_most=2)) as url,
            connect(url) as known,
            connect(url) as stranger,
        ):
            known.sendall(HEAD + token + half)
            assert known.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"  # somebody reads
            known.sendall(b"{")
            stranger.sendall(HEAD + half)
            assert stranger.recv(1 << 16).startswith(b"HTTP/1.1 401 ")
            with connect(url) as first:  # a third one: in place of the stranger, whose body is not wanted
                assert received(stranger) == b""
                with connect(url):  # in place of who has said nothing
                    assert received(first) == b""
            known.sendall(b" " * 998 + b"}")
            assert known.recv(1 << 16).startswith(b"HTTP/1.1 422 ")

    def test_bodies_of_somebody_known_do_not_keep_a_new_one_out(self, app: ASGIApp, token: bytes) -> None:
        half = b"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
        with (
            serving(app, SlowClients(PATIENCE * 10, at_most=2)) as url,
            connect(url) as first,
            connect(url) as second,
        ):
            for known in (first, second):
                known.sendall(HEAD + token + half)
                assert known.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
            with connect(url) as third:
                assert received(first) == b""
                third.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                assert [answer.status for answer in answers(received(third))] == [200]
