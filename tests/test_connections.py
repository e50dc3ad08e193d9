"""Connections that are slow, half open or hostile: they end, are refused, and keep nobody out."""

import json
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import psutil
import pytest

from churn.model import registry
from churn.model.registry import ServedModel
from churn.web.server import file_limit
from churn.web.server.protocol import MAX_AHEAD, MAX_HEADERS, MAX_IDLE
from churn.web.server.slow_clients import MAX_WAITING
from harness.servers import Server, bentoml_serve, environment, home_beside, wait_until
from tests.support.company import EXAMPLE
from tests.support.raw_sockets import ask, connect, is_last, is_refusal, received

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
BEARER = f"Authorization: Bearer {TOKEN}\r\n".encode()
JSON = b"Content-Type: application/json\r\n"
FEW_FILES = 512  # what the server is started with: fewer than it needs
MANY = 2000  # slow clients


@contextmanager
def files(soft: int) -> Iterator[None]:
    """Let this process, and those it starts meanwhile, open so many files."""
    before, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, hard))


@pytest.fixture(scope="module")
def server(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that was started with few files."""
    folder = tmp_path_factory.mktemp("connections")
    env = environment(
        BENTOML_HOME=str(home_beside(registry.home(), folder)),
        DATABASE_URL=f"sqlite:///{folder / 'churn.db'}",
        CHURN_MODEL=model.tag,
        API_TOKEN=TOKEN,
    )
    with ExitStack() as stack:
        with files(FEW_FILES):
            server = stack.enter_context(bentoml_serve(env))
        yield server


def is_well(server: Server) -> None:
    """Assert that the server answers, the open and the guarded."""
    assert httpx.get(f"{server.url}/livez", timeout=60).status_code == 200
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(f"{server.url}/predict", json=EXAMPLE, headers=headers, timeout=60)
    assert (answer.status_code, set(answer.json()) >= {"prediction", "probability"}) == (200, True)


def connections(server: Server) -> int:
    """Return how many connections the server holds open."""
    port = httpx.URL(server.url).port
    found = 0
    for process in server.process.children():
        with suppress(psutil.NoSuchProcess):
            calls = process.net_connections("tcp")
            found += sum(c.laddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in calls)
    return found


HALF_A_HEAD = b"POST /predict HTTP/1.1\r\nHost: h\r\nX-Slow: "
HALF_A_BODY = b"POST /predict HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n" + JSON + BEARER + b"\r\n{"


def test_slow_clients_keep_nobody_out(server: Server) -> None:
    with files(file_limit.ENOUGH), ExitStack() as stack:
        slow = []
        for number in range(MANY):
            slow.append(stack.enter_context(connect(server.url)))
            slow[-1].sendall(HALF_A_BODY if number % 2 else HALF_A_HEAD)
            if number % 250 == 249:
                is_well(server)
        wait_until(lambda: connections(server) <= MAX_WAITING)
        assert received(slow[0]) == b""  # the first that waited went first, unheard
        for _ in range(3):
            for connection in slow:
                with suppress(OSError):  # it is closed already
                    connection.send(b"1")
            is_well(server)


def test_a_process_may_open_as_many_files_as_the_system_grants() -> None:
    with files(FEW_FILES):
        file_limit.raise_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft == (file_limit.ENOUGH if hard == resource.RLIM_INFINITY else min(hard, file_limit.ENOUGH))


def lines(*found: bytes, path: bytes = b"/predict", method: bytes = b"POST") -> bytes:
    """Return a request's head of some header lines."""
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: h", *found, b"", b""])


CHUNKED, CLOSE = b"Transfer-Encoding: chunked", b"Connection: close"
SMUGGLED = lines(path=b"/livez", method=b"GET")
FLOOD = 2**20  # bytes

# What is sent, and the statuses of the answers, after which the connection is closed.
HOSTILE: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "a head over 64 KiB": (lines(b"X-Long: " + b"a" * 70_000), (431,)),
    "an endless head": (lines(b"X-Long: " + b"a" * FLOOD), (431,)),
    "names over 64 KiB": (lines(*[b"X-%d: " % n for n in range(10_000)]), (431,)),
    "many headers": (lines(*[b"a:"] * 200), (431,)),
    "many trailers": (lines(CHUNKED) + b"0\r\n" + b"a:\r\n" * 200 + b"\r\n", (431,)),
    "a target of 64 KiB": (lines(path=b"/" + b"a" * 65_536), (431,)),
    "length and chunks": (lines(b"Content-Length: 6", CHUNKED) + b"0\r\n\r\n" + SMUGGLED, (400,)),
    "chunks and length": (lines(CHUNKED, b"Content-Length: 6") + b"0\r\n\r\n" + SMUGGLED, (400,)),
    "chunks, but not last": (lines(CHUNKED + b", gzip") + b"0\r\n\r\n" + SMUGGLED, (400,)),
    "chunks twice": (lines(CHUNKED, b"Transfer-Encoding: identity") + b"0\r\n\r\n" + SMUGGLED, (400,)),
    "chunks behind a tab": (lines(b"Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n" + SMUGGLED, (400,)),
    "a space before the colon": (lines(b"Transfer-Encoding : chunked") + b"0\r\n\r\n" + SMUGGLED, (400,)),
    "two lengths": (lines(b"Content-Length: 2", b"Content-Length: 3") + b"{}" + SMUGGLED, (400,)),
    "a negative length": (lines(b"Content-Length: -1") + SMUGGLED, (400,)),
    "a signed length": (lines(b"Content-Length: +2") + b"{}" + SMUGGLED, (400,)),
    "a length that is no number": (lines(b"Content-Length: two") + b"{}" + SMUGGLED, (400,)),
    "two lengths in one": (lines(b"Content-Length: 2, 2") + b"{}" + SMUGGLED, (400,)),
    "a length over 64 bits": (lines(b"Content-Length: " + b"9" * 30) + SMUGGLED, (400,)),
    "a chunk of no size": (lines(CHUNKED) + b"zz\r\n{}\r\n0\r\n\r\n" + SMUGGLED, (400,)),
    "a chunk of a negative size": (lines(CHUNKED) + b"-2\r\n{}\r\n0\r\n\r\n" + SMUGGLED, (400,)),
    "a chunk of a huge size": (lines(CHUNKED) + b"f" * 17 + b"\r\n{}\r\n" + SMUGGLED, (400,)),
    "a chunk longer than its size": (lines(CHUNKED) + b"1\r\n{}\r\n0\r\n\r\n" + SMUGGLED, (400,)),
    "chunk extensions": (lines(CHUNKED) + (b"1;" + b"a" * 2000 + b"\r\n{\r\n") * 500, (431,)),
    "one chunk extension": (lines(CHUNKED) + b"1;" + b"a" * FLOOD, (431,)),
    "lines that end in LF": (b"GET /predict HTTP/1.1\nHost: h\n\n" + SMUGGLED, (400,)),
    "a bare CR": (lines(b"X-One: 1\rX-Two: 2") + SMUGGLED, (400,)),
    "NUL in a value": (lines(b"X-Nul: a\0b") + SMUGGLED, (400,)),
    "NUL in a name": (lines(b"X-\0: a") + SMUGGLED, (400,)),
    "a folded line": (lines(b"X-Folded: a\r\n b") + SMUGGLED, (400,)),
    "HTTP/0.9": (b"GET /predict\r\n\r\n", (401,)),
    "HTTP/0.9, spelt out": (b"GET /predict HTTP/0.9\r\n\r\n", (401,)),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    "HTTP/3.0": (b"GET /predict HTTP/3.0\r\nHost: h\r\n\r\n", (400,)),
    "CONNECT": (lines(path=b"127.0.0.1:22", method=b"CONNECT") + SMUGGLED, (400,)),
    "CONNECT to a path": (lines(path=b"/predict", method=b"CONNECT") + SMUGGLED, (401,)),
    "an absolute target": (lines(CLOSE, path=b"http://h/predict"), (401,)),
    "an absolute target of another host": (lines(CLOSE, path=b"http://evil.example/predict"), (401,)),
    "an absolute target without a path": (lines(CLOSE, path=b"http://h", method=b"GET"), (400,)),
    "OPTIONS *": (lines(CLOSE, path=b"*", method=b"OPTIONS"), (401,)),
    "TRACE": (lines(CLOSE, method=b"TRACE"), (401,)),
    "TRACE of what is open": (lines(CLOSE, path=b"/health", method=b"TRACE"), (405,)),
    "a method in lower case": (lines(CLOSE, method=b"post"), (400,)),
    "a method of nobody's": (lines(CLOSE, method=b"PREDICT"), (400,)),
    "bytes in the target": (lines(CLOSE, path=b"/predict\xff"), (400,)),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), (400,)),
    "no host": (b"POST /predict HTTP/1.1\r\n\r\n" + SMUGGLED, (400,)),
    "no host, of what is open": (b"GET /livez HTTP/1.1\r\n\r\n" + SMUGGLED, (400,)),
    "two hosts": (lines(b"Host: h") + SMUGGLED, (400,)),
    "two hosts in HTTP/1.0": (b"GET /livez HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n", (400,)),
    "a host that is none": (b"GET /livez HTTP/1.1\r\nHost: h/livez\r\n\r\n" + SMUGGLED, (400,)),
    "two hosts in one": (b"GET /livez HTTP/1.1\r\nHost: h, i\r\n\r\n" + SMUGGLED, (400,)),
    "no host in HTTP/1.0": (b"GET /livez HTTP/1.0\r\n\r\n", (200,)),
    "a good one, and one without a host": (SMUGGLED + b"GET /livez HTTP/1.1\r\n\r\n", (200,)),
    "noise": (bytes(range(256)), (400,)),
    "lines of nothing, and noise": (b"\r\n\r\n\x01", (400,)),
    "one that is refused, and another": (lines(b"Content-Length: x") + lines(BEARER[:-2]), (400,)),
    "one that is good, and noise": (SMUGGLED + b"\x01", (200,)),
    "an upgrade, and another": (
        lines(b"Connection: upgrade", b"Upgrade: websocket", path=b"/predict", method=b"GET") + SMUGGLED,
        (401,),
    ),
    "an upgrade to HTTP/2, and another": (
        lines(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", path=b"/predict") + SMUGGLED,
        (401,),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests_are_refused_and_end_the_connection(server: Server, name: str) -> None:
    sent, expected = HOSTILE[name]
    found = ask(server.url, sent)
    statuses = tuple(answer.status for answer in found)
    # A server that closes what it has not read whole may cut its own answer off.
    assert statuses == expected or (statuses == () and len(sent) > 2**16)
    for answer in found:
        assert answer.status == 200 or is_refusal(answer)
        assert answer.status not in (400, 408, 431) or is_last(answer)
        assert answer.headers["connection"] == "close"
    is_well(server)


@pytest.mark.parametrize("name", [name for name in HOSTILE if b"Host: h\r\n" in HOSTILE[name][0]])
def test_credentials_do_not_make_a_malformed_one_better(server: Server, name: str) -> None:
    sent, expected = HOSTILE[name]
    found = ask(server.url, sent.replace(b"Host: h\r\n", b"Host: h\r\n" + BEARER + JSON, 1))
    statuses = tuple(answer.status for answer in found)
    if expected in ((400,), (431,)):
        assert statuses in (expected, ())
    else:  # it is well formed, and the employee is missing or the method is wrong
        assert len(statuses) == 1
        assert expected == (200,) or 400 <= statuses[0] < 500
    is_well(server)


def test_small_headers_do_not_multiply_a_head_in_memory(server: Server) -> None:
    head = lines(*[b"a:"] * 16_000)  # within 64 KiB
    [answer] = ask(server.url, head)
    assert (answer.status, is_refusal(answer), is_last(answer)) == (431, True, True)
    most = lines(CLOSE, *[b"a:"] * (MAX_HEADERS - 2), path=b"/livez", method=b"GET")
    assert [answer.status for answer in ask(server.url, most)] == [200]


def test_trailers_are_no_headers(server: Server) -> None:
    body = b"2\r\n{}\r\n0\r\n" + BEARER + b"\r\n"
    [answer] = ask(server.url, lines(CHUNKED, CLOSE, JSON[:-2]) + body)
    assert answer.status == 401


def answered(connection: socket.socket) -> None:
    """Assert that one request is answered, and that the connection stays."""
    connection.sendall(SMUGGLED)
    said = b""
    while not said.endswith(b"\r\n\r\n\n"):
        more = connection.recv(1 << 16)
        assert more, said
        said += more
    assert said.startswith(b"HTTP/1.1 200")


def test_who_asks_nothing_more_keeps_nobody_out(server: Server) -> None:
    with files(file_limit.ENOUGH), ExitStack() as stack:
        kept = []
        for _ in range(MAX_IDLE + 50):
            # One after the other: who has not asked yet is not idle but slow, and has ten seconds.
            kept.append(stack.enter_context(connect(server.url)))
            answered(kept[-1])
        answered(kept[-1])  # it is still there to ask once more
        assert kept[0].recv(1) == b""  # it was idle longest
        wait_until(lambda: connections(server) <= MAX_IDLE)


def test_who_sends_what_is_malformed_fills_no_log(server: Server) -> None:
    before = server.process.output
    [answer] = ask(server.url, b"\x01")
    assert answer.status == 400
    is_well(server)
    assert server.process.output == before


def test_who_asks_far_ahead_is_answered_some_and_closed(server: Server) -> None:
    found = ask(server.url, lines(path=b"/livez", method=b"GET") * 2000)
    assert MAX_AHEAD < len(found) < 2000
    assert {answer.status for answer in found} == {200}
    assert found[-1].headers["connection"] == "close"
    is_well(server)


# Ways to write a path that some server or proxy takes for another one.
SPELLINGS = rb"""
    //predict ///predict /predict/ /predict// /./predict /predict/. /x/../predict /health/../predict
    /health/..;/predict /health;/predict /predict;x=1 /predict;/health /PREDICT /Predict /predict.
    /predict.json /predict.. /predict~ /predict:80 /%2fpredict /%2Fpredict /predict%2f /%5cpredict
    /%5Cpredict /predict%5c /\predict /%2e/predict /%2e%2e/predict /health/%2e%2e/predict
    /health%2f..%2fpredict /health/..%2fpredict /health%5c..%5cpredict /health/..%5cpredict
    /health%252f..%252fpredict /%2570redict /predict%00 /%00/predict /health%00/../predict /predict%20
    /%20predict /predict%09 /predict%0a /predict%0d%0a /predict%3f /predict%23 /health%3f/../predict
    /%c0%afpredict /%ef%bc%8fpredict /pr%ffedict /pr%zzedict /predict% /health/predict /predict/health
    /predict/../health /predict,/health /@predict /* /predict* http://h//predict
    http://h/predict/../health http://u:p@h/predict/ HTTP://h/./predict /static_content/../predict
    /static_content/%2e%2e/%2e%2e/etc/passwd /../../../../etc/passwd
""".split()
ELSEWHERE = (b"X-Original-URL: /health", b"X-Rewrite-URL: /health", b"X-Forwarded-Prefix: /predict")


@pytest.mark.parametrize("path", SPELLINGS)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_another_spelling_of_a_path_is_none(server: Server, method: bytes, path: bytes) -> None:
    more = (CLOSE, b"Content-Length: 2", JSON[:-2])
    [stranger] = ask(server.url, lines(*more, path=path, method=method) + b"{}")
    [known] = ask(server.url, lines(*more, BEARER[:-2], path=path, method=method) + b"{}")
    assert (stranger.status, known.status) in ((401, 404), (400, 400))
    assert is_refusal(stranger)
    assert is_refusal(known)


@pytest.mark.parametrize(
    "path", [b"/%70redict", b"/%70%72%65%64%69%63%74", b"/predict?/health", b"http://x/predict"]
)
@pytest.mark.parametrize("more", [(), *((line,) for line in ELSEWHERE), ELSEWHERE])
def test_an_escaped_letter_is_that_letter_to_the_gate_too(
    server: Server, path: bytes, more: tuple[bytes, ...]
) -> None:
    more = (*more, CLOSE, b"Content-Length: 2", JSON[:-2])
    [stranger] = ask(server.url, lines(*more, path=path) + b"{}")
    [known] = ask(server.url, lines(*more, BEARER[:-2], path=path) + b"{}")
    assert (stranger.status, known.status) == (401, 422)


def test_a_body_that_breaks_off_is_answered_to_nobody(server: Server) -> None:
    with connect(server.url) as connection:
        connection.sendall(HALF_A_BODY)
        connection.shutdown(socket.SHUT_WR)
        assert received(connection) == b""
    is_well(server)


@pytest.mark.parametrize(
    "encodings",
    [
        ["gzip"],
        ["GZIP"],
        [" gzip"],
        ["br"],
        ["deflate"],
        ["zstd"],
        ["x-gzip"],
        [""],
        ["identity, gzip"],
        ["gzip, identity"],
        ["identity", "gzip"],
        ["gzip", "identity"],
        ["identity;q=1"],
    ],
    ids=" + ".join,
)
def test_a_body_that_is_encoded_is_refused_unread(server: Server, encodings: list[str]) -> None:
    given = [f"Content-Encoding: {encoding}".encode() for encoding in encodings]
    head = lines(BEARER[:-2], JSON[:-2], CLOSE, b"Content-Length: 1000", *given)
    [answer] = ask(server.url, head)  # none of the body is sent
    assert (answer.status, is_refusal(answer)) == (415, True)


@pytest.mark.parametrize("encoding", ["identity", "Identity", " identity "])
def test_a_body_as_it_is_may_say_so(server: Server, encoding: str) -> None:
    body = json.dumps(EXAMPLE).encode()
    head = lines(
        BEARER[:-2],
        JSON[:-2],
        CLOSE,
        b"Content-Length: %d" % len(body),
        f"Content-Encoding: {encoding}".encode(),
    )
    [answer] = ask(server.url, head + body)
    assert answer.status == 200
