"""A real `bentoml serve`: the Python clients, a start that fails, and what a stop leaves."""

import asyncio
import copy
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bentoml
import httpx
import pytest
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml.exceptions import BentoMLException
from sqlalchemy import func, select

from churn import service, supervised
from churn.core.errors import SettingsError
from churn.database import schema
from churn.database.engine import make_engine, opened
from churn.database.tables import JOURNAL
from churn.model.registry import ServedModel
from churn.web.server.refused_options import REFUSED, check_options
from harness.identities import a_token
from harness.servers import PROJECT, Server, bentoml_serve, environment, free_port, serving
from tests.support.company import EXAMPLE
from tests.support.raw_sockets import answers, connect, received

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
USER = ("marie", "correct horse")


@pytest.fixture(scope="module")
def server(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server on the embedded database, with a user and a token from its environment."""
    folder = tmp_path_factory.mktemp("server")
    env = environment(
        DATABASE_URL=f"sqlite:///{folder / 'churn.db'}",
        CHURN_MODEL=model.tag,
        API_TOKEN=TOKEN,
        API_USERNAME=USER[0],
        API_PASSWORD=USER[1],
        CHURN_ACCESS_LOG="true",
    )
    with bentoml_serve(env) as server:
        yield server


def test_it_listens_on_its_port_and_on_nothing_else(server: Server) -> None:
    assert server.process.listens_on() == {("127.0.0.1", urlsplit(server.url).port)}


def test_a_worker_has_no_library_that_it_does_without(server: Server) -> None:
    [worker] = server.process.workers()
    mapped = {one.path for one in worker.memory_maps()}
    assert [path for path in mapped if "pydantic_core" in path]
    of_training = ("matplotlib", "numpy", "pandas", "scipy", "sklearn")
    for library in (*of_training, "aiohttp", "tornado", "watchfiles", "zmq"):
        assert not [path for path in mapped if f"/{library}/" in path]


class TestClients:
    def test_rest_with_a_token_or_a_user(self, server: Server, model: ServedModel) -> None:
        bearer = httpx.post(
            f"{server.url}/predict", json=EXAMPLE, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        basic = httpx.post(f"{server.url}/predict", json=EXAMPLE, auth=USER)
        assert bearer.json()["probability"] == basic.json()["probability"]
        assert bearer.json()["model"] == model.tag

    def test_the_python_client_unchanged(self, server: Server) -> None:
        with bentoml.SyncHTTPClient(server.url, token=TOKEN) as client:
            one: Any = client.predict(EXAMPLE)
            many: Any = client.predict_batch([EXAMPLE, {**EXAMPLE, "age": 40}])
            what_if: Any = client.what_if({"employee": EXAMPLE, "changes": {"heures_supp": "Non"}})
        assert 0 < one["probability"] < 1
        assert [answer["probability"] for answer in many] == pytest.approx([one["probability"]] * 2)
        assert what_if["before"]["probability"] == one["probability"] > what_if["after"]["probability"]

    def test_the_python_client_with_an_alias(self, server: Server) -> None:
        record = {name: value for name, value in EXAMPLE.items() if name != "annees_dans_l_entreprise"}
        with bentoml.SyncHTTPClient(server.url, token=TOKEN) as client:
            answer: Any = client.predict({**record, "anciennete": EXAMPLE["annees_dans_l_entreprise"]})
        assert "annees_dans_l_entreprise" in {reason["field"] for reason in answer["reasons"]}

    def test_the_asynchronous_python_client(self, server: Server) -> None:
        async def call() -> Any:
            async with bentoml.AsyncHTTPClient(server.url, token=TOKEN) as client:
                return await asyncio.gather(*(client.predict(EXAMPLE) for _ in range(5)))

        answers = asyncio.run(call())
        assert len({answer["prediction_id"] for answer in answers}) == 5

    def test_the_python_client_is_told_what_is_wrong(self, server: Server) -> None:
        with (
            bentoml.SyncHTTPClient(server.url, token=TOKEN) as client,
            pytest.raises(BentoMLException, match="attendu : un entier de 18 à 70"),
        ):
            client.predict({**EXAMPLE, "age": 17})

    def test_nothing_of_an_employee_or_a_credential_is_in_the_servers_output(self, server: Server) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        record = {**EXAMPLE, "revenu_mensuel": 987654, "employee_id": "Zoé-4711"}
        assert httpx.post(f"{server.url}/predict", json=record, headers=headers).status_code == 200
        bad = {**record, "age": "vieux-987654", "poste": "Astronaute"}
        assert httpx.post(f"{server.url}/predict", json=bad, headers=headers).status_code == 422
        httpx.post(f"{server.url}/predict", content=b'{"revenu_mensuel": 987654', headers=headers)
        assert (
            httpx.post(f"{server.url}/predict", json=record, auth=("marie", "wrong-987654")).status_code
            == 401
        )
        httpx.get(f"{server.url}/the-last-call", headers=headers)
        server.process.await_output("method=GET route=(elsewhere) status=404")
        output = server.process.output
        assert "method=POST route=/predict status=200" in output
        for secret in (
            "987654",
            "Zoé",
            "4711",
            "Astronaute",
            "vieux",
            "last-call",
            TOKEN,
            USER[1],
            "Traceback",
        ):
            assert secret not in output


def says(server: Server, *sent: bytes, at_most: int = 2000) -> bytes:
    """Send the parts, the last of them again and again, until the server closes; return what it said."""
    address = urlsplit(server.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
        *first, last = sent
        try:
            for part in (*first, *[last] * at_most):
                connection.sendall(part)
            pytest.fail("the server took all of it")
        except ConnectionError:
            pass
        try:
            return connection.recv(1 << 16)
        except ConnectionError:
            return b""


class TestHeads:
    """What comes before a body, and between its parts, is bounded: it is read before anyone is known."""

    def test_a_head_may_be_large_but_not_too_large(self, server: Server) -> None:
        assert httpx.get(f"{server.url}/health", headers={"X-Long": "a" * 60_000}).status_code == 200
        refused = httpx.get(f"{server.url}/health", headers={"X-Long": "a" * 400_000})
        assert (refused.status_code, refused.json()["detail"]) == (
            431,
            "L'en-tête de la demande est trop long",
        )

    def test_each_request_of_a_connection_may_have_as_much(self, server: Server) -> None:
        with httpx.Client(headers={"X-Long": "a" * 30_000}) as client:
            assert {client.get(f"{server.url}/health").status_code for _ in range(10)} == {200}

    @pytest.mark.parametrize("part", [b"a" * 16_384, b"X-Short: 1\r\n" * 1000])
    def test_an_endless_head_is_cut(self, server: Server, part: bytes) -> None:
        says(server, b"GET /health HTTP/1.1\r\nHost: h\r\nX-Long: a", part)

    def test_endless_trailers_are_cut(self, server: Server) -> None:
        head = b"POST /predict HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        says(server, head, b"X-Short: 1\r\n" * 1000)

    def test_a_body_may_come_in_small_chunks(self, server: Server) -> None:
        body = json.dumps([EXAMPLE] * 3000).encode()
        parts = (body[at : at + 100] for at in range(0, len(body), 100))
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        answer = httpx.post(f"{server.url}/predict_batch", content=parts, headers=headers, timeout=60)
        assert len(answer.json()) == 3000


def test_what_was_answered_is_in_the_database_after_a_stop(
    model: ServedModel, database_url: str, tmp_path: Path
) -> None:
    engine = make_engine(database_url)
    schema.upgrade(engine)
    headers = {
        "Authorization": f"Bearer {a_token(engine, 'tests')}"
    }  # the environment's own is logged as made
    with bentoml_serve(environment(DATABASE_URL=database_url)) as server:
        said = [httpx.post(f"{server.url}/predict", json=EXAMPLE, headers=headers).json() for _ in range(3)]
    with engine.connect() as connection:
        counts = {
            t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in JOURNAL
        }
        ids = connection.execute(select(JOURNAL[3].c.id)).scalars()
        assert {str(key) for key in ids} == {answer["prediction_id"] for answer in said}
    assert set(counts.values()) == {3}
    engine.dispose()


def start_that_fails(env: Mapping[str, str], *command: str) -> tuple[int, str]:
    """Return the exit code and the output of a start that is expected to end by itself."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=PROJECT,
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


START = {
    "bentoml": ("bentoml", "serve", "service:Churn", "--host", "127.0.0.1", "--port"),
    "churn": ("churn.cli.main", "serve", "--port"),
}


def refuses(by: str, env: Mapping[str, str], message: str) -> str:
    """Return the output of a start that ends with one line: what is wrong, and what mends it."""
    code, output = start_that_fails(env, *START[by], str(free_port()))
    [line] = [line for line in output.splitlines() if line.startswith("churn: ")]
    assert message in line
    assert code == 1
    assert "Traceback" not in output
    return output


@pytest.mark.parametrize("by", sorted(START))
class TestStartsThatFail:
    """By `churn serve`, which reads the settings by itself, and by `bentoml serve`, which it becomes."""

    def test_without_a_model(self, by: str, tmp_path: Path) -> None:
        env = environment(BENTOML_HOME=str(tmp_path))
        refuses(by, env, f"no model in the store {tmp_path}: run `churn train --data DIR`")

    def test_with_a_placeholder_secret(self, by: str, model: ServedModel) -> None:
        env = environment(API_TOKEN="changeme-changeme-changeme")
        refuses(by, env, "API_TOKEN: is a placeholder: run `churn token issue NAME`")


def test_a_start_fails_with_a_database_out_of_reach_and_no_spool(model: ServedModel) -> None:
    url = f"postgresql://churn:s3cret-word@127.0.0.1:{free_port()}/churn"
    env = environment(DATABASE_URL=url, CHURN_JOURNAL_FALLBACK="refuse")
    output = refuses("churn", env, "correct DATABASE_URL, then run `churn db check`")
    assert "s3cret-word" not in output


def test_a_start_fails_with_what_would_stand_behind_the_gate(model: ServedModel, tmp_path: Path) -> None:
    option = "services.churn.http.cors.enabled=true"
    env = environment(BENTOML_CONFIG_OPTIONS=option, DATABASE_URL=f"sqlite:///{tmp_path}/churn.db")
    refuses("churn", env, "BentoML's configuration sets http.cors.enabled to True")


class TestCheck:
    """What the supervisor checks, in this process: all else that makes a start end."""

    def refuses(self, message: str, **settings: str) -> None:
        """Fail unless the check ends in one line: what is wrong, and what mends it."""
        with pytest.MonkeyPatch.context() as patched:
            for name, value in settings.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                supervised.prepare()
        assert re.fullmatch(f"churn: .*{re.escape(message)}.*", str(ended.value))

    def test_with_the_name_of_no_model(self, model: ServedModel) -> None:
        self.refuses("no model 'churn:nothing' in the store", CHURN_MODEL="churn:nothing")

    def test_with_a_model_of_somebody_else(self, model: ServedModel) -> None:
        with bentoml.models.create("elsewhere", metadata={}) as made:
            pass
        self.refuses("was not exported by this version of churn", CHURN_MODEL=str(made.tag))
        bentoml.models.delete(made.tag)

    def test_with_a_database_that_is_not_at_head(self, model: ServedModel, empty_postgresql: str) -> None:
        self.refuses("has no schema yet: run `churn db upgrade`", DATABASE_URL=empty_postgresql)

    def test_with_a_database_at_an_older_revision(self, model: ServedModel, empty_postgresql: str) -> None:
        with opened(empty_postgresql) as engine:
            schema.upgrade(engine, "0002")
        mends = f"is at revision 0002, not at head ({schema.head()}): run `churn db upgrade`"
        self.refuses(mends, DATABASE_URL=empty_postgresql)

    def test_with_a_database_of_no_known_kind(self, model: ServedModel) -> None:
        self.refuses("DATABASE_URL names 'mysql': expected sqlite:///", DATABASE_URL="mysql://h/d")

    @pytest.mark.parametrize("is_away", [True, False])
    def test_with_half_a_user(self, model: ServedModel, is_away: bool, tmp_path: Path) -> None:
        away = f"postgresql://churn@127.0.0.1:{free_port()}/churn"
        url = away if is_away else f"sqlite:///{tmp_path}/churn.db"
        both = "API_USERNAME and API_PASSWORD go together: set both or neither"
        self.refuses(both, API_USERNAME="marie", DATABASE_URL=url)

    def test_with_a_short_password_in_the_env_file(self, model: ServedModel, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("API_USERNAME=marie\nAPI_PASSWORD=s3cret\n")
        short = "API_PASSWORD: is too short: expected at least 8 characters"
        self.refuses(short, CHURN_ENV_FILE=str(tmp_path / ".env"))

    def test_with_a_placeholder_in_a_file(self, model: ServedModel, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("changeme\n")
        tried = "API_PASSWORD: is a placeholder or a password that everyone tries first"
        self.refuses(tried, API_USERNAME="marie", API_PASSWORD_FILE=str(tmp_path / "password"))

    def test_with_a_file_that_is_not_there(self, model: ServedModel, tmp_path: Path) -> None:
        missing = f"DATABASE_URL_FILE: {tmp_path}/url cannot be read (No such file or directory)"
        self.refuses(missing, DATABASE_URL_FILE=str(tmp_path / "url"))


@pytest.mark.parametrize("name", REFUSED)
def test_what_bentoml_may_not_do_around_the_gate_is_refused(name: str) -> None:
    service.service.inject_config()  # as `bentoml serve` does it
    options = copy.deepcopy(BentoMLContainer.config.services.get()["churn"])
    check_options(options)
    *parents, option = name.split(".")
    switched = options
    for parent in parents:
        switched = switched[parent]  # a name that BentoML knows no longer is an error here
    assert option in switched
    switched[option] = 3
    with pytest.raises(SettingsError, match=f"sets {name} to 3: .*; take it out"):
        check_options(options)


def test_churn_serve_hands_on_what_is_configured_in_the_file(model: ServedModel, tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "settings"
    file.write_text(f"PORT={port}\nCHURN_TRUSTED_PROXIES=127.0.0.1, 10.0.0.0/8\nCHURN_ACCESS_LOG=true\n")
    env = environment(
        CHURN_ENV_FILE=str(file),
        DATABASE_URL=f"sqlite:///{tmp_path / 'churn.db'}",
        CHURN_MODEL=model.tag,
        API_TOKEN=TOKEN,
    )
    command = [sys.executable, "-m", "churn.cli.main", "serve", "--keep-alive", "1"]
    with serving(command, env, f"http://127.0.0.1:{port}") as server:
        by_tls = httpx.get(f"{server.url}/health", headers={"X-Forwarded-Proto": "https"})
        server.process.await_output("method=GET route=/health status=200")
        assert server.process.listens_on() == {("127.0.0.1", port)}
        with connect(server.url) as idle:
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
            [kept] = answers(received(idle))  # until it is closed
    assert (kept.status, "connection" in kept.headers) == (200, False)
    assert "strict-transport-security" in by_tls.headers


def test_a_machine_that_takes_no_temporary_files_is_refused() -> None:
    limited = ["sh", "-c", 'ulimit -f 0 && exec "$@"', "sh"]  # every file stays empty
    command = [*limited, sys.executable, "-m", *START["churn"], str(free_port())]
    done = subprocess.run(command, cwd=PROJECT, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("churn: no folder takes temporary files: let /tmp be written")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_refused_with_another_to_try(model: ServedModel, tmp_path: Path) -> None:
    env = environment(DATABASE_URL=f"sqlite:///{tmp_path}/churn.db")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, output = start_that_fails(env, *START["churn"], str(port))
    assert code == 1
    assert f"churn: cannot listen on 127.0.0.1:{port} (Address already in use)" in output
    assert f"choose another with PORT={port + 1}" in output
