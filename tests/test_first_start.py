"""The first start: where nobody could get in, a user and a token are made, and shown once."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import httpx
import psutil
import pytest
from sqlalchemy import Engine, text

from churn.access.first_admin import FirstCredentials, ensure_first_admin
from churn.access.identities import ensure_identities
from churn.access.tokens import count_tokens, list_tokens, revoke_token, verify_token
from churn.access.users import count_users, list_users, set_password, sign_in
from churn.core.errors import DatabaseError, IdentityError
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from churn.model import registry
from churn.model.registry import ServedModel
from churn.preflight import DatabaseProbe, prepare
from churn.records.audit_log import events
from harness import postgres
from harness.identities import a_token, a_user, bearer
from harness.servers import (
    PROJECT,
    Process,
    RestartableServer,
    bentoml_serve,
    environment,
    free_port,
    home_beside,
    wait_until,
)
from tests.support.company import EXAMPLE

SHOWN = "shown this once"
STARTERS = 4


def shown(output: str) -> tuple[tuple[str, str], str]:
    """Return the first user's name and password and the first token, of an output that has each once."""
    [user] = re.findall(r"^First user, shown this once: +(\S+) / (\S+)$", output, re.MULTILINE)
    [token] = re.findall(r"^First token, shown this once: +(\S+)$", output, re.MULTILINE)
    return user, token


def statuses(url: str, user: tuple[str, str], token: str) -> list[int]:
    """Return how calls of the first user and the first token end."""
    said = httpx.post(f"{url}/predict", json=EXAMPLE, auth=user)
    return [
        said.status_code,
        httpx.post(f"{url}/predict", json=EXAMPLE, headers={"Authorization": bearer(token)}).status_code,
    ]


def at_once(engine: Engine) -> list[FirstCredentials | None]:
    """Return what starts that look at one moment each have to show."""
    settings, barrier = load(), Barrier(STARTERS)

    def start(_: int) -> FirstCredentials | None:
        barrier.wait()
        return ensure_first_admin(engine, settings)

    with ThreadPoolExecutor(STARTERS) as pool:
        return list(pool.map(start, range(STARTERS)))


class TestMaking:
    def test_one_of_many_starts_makes_what_it_shows(self, engine: Engine) -> None:
        [first] = [found for found in at_once(engine) if found is not None]
        assert sign_in(engine, "admin", first.password).is_good
        assert verify_token(engine, first.secret) is not None
        assert [(one.name, one.role) for one in list_users(engine)] == [("admin", "admin")]
        assert [one.name for one in list_tokens(engine)] == ["first"]
        assert shown(str(first)) == (("admin", first.password), first.secret)
        assert first.password not in repr(first)
        assert first.secret not in repr(first)

    def test_it_is_in_the_audit_log_without_the_secrets(self, engine: Engine) -> None:
        first = ensure_first_admin(engine, load())
        assert first is not None
        [event] = events(engine, datetime.now(UTC) - timedelta(hours=1))
        assert (event.kind, event.what) == ("changed", "churn setup")
        assert event.detail == {
            "user": "admin", "role": "admin", "token": "first", "scopes": ["predict", "history"]
        }  # fmt: skip

    def test_nothing_is_made_where_somebody_is(self, engine: Engine) -> None:
        a_token(engine)
        assert ensure_first_admin(engine, load()) is None
        assert count_users(engine) == 0

    def test_nothing_is_made_where_somebody_was(self, engine: Engine) -> None:
        a_user(engine)
        assert ensure_first_admin(engine, load()) is None
        assert count_tokens(engine) == 0

    def test_nothing_is_made_where_the_environment_names_somebody_at_once_with_others(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("API_USERNAME", "marie")
        monkeypatch.setenv("API_PASSWORD", "correct horse")
        monkeypatch.setenv("API_TOKEN", "hV7rWm3TqZ9xKc5LnB2d")
        assert at_once(engine) == [None] * STARTERS
        ensure_identities(engine, load())
        assert [one.name for one in list_users(engine)] == ["marie"]
        assert [one.state for one in list_tokens(engine)] == ["active"]


@pytest.fixture
def home(model: ServedModel, tmp_path: Path) -> Path:
    """Return a BENTOML_HOME with the model, and no database."""
    return home_beside(registry.home(), tmp_path)


def test_a_start_by_bentoml_shows_what_works_and_the_next_shows_nothing(
    model: ServedModel, home: Path
) -> None:
    env = environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, CHURN_WORKERS="2")
    with bentoml_serve(env) as server:
        user, token = shown(server.process.output)
        assert statuses(server.url, user, token) == [200, 200]
    assert server.process.output.count(SHOWN) == 2
    with bentoml_serve(env) as again:
        assert statuses(again.url, user, token) == [200, 200]
    assert SHOWN not in again.process.output


def test_it_is_shown_on_standard_error_and_not_logged(model: ServedModel, home: Path) -> None:
    env = environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag)
    (home / "errors").touch()
    port = free_port()
    command = f"exec {sys.executable} -m churn.cli.main serve --port {port} 2> {home}/errors"
    process = Process(["bash", "-c", command], env, PROJECT)
    try:
        wait_until(lambda: SHOWN in (home / "errors").read_text(), lambda: process.output)
        process.await_ready(f"http://127.0.0.1:{port}")
    finally:
        process.stop()
    user, token = shown((home / "errors").read_text())
    assert user[1] not in process.output
    assert token not in process.output


def test_two_servers_that_start_on_one_database_show_one_user_and_token(
    model: ServedModel, empty_postgresql: str, tmp_path: Path
) -> None:
    with opened(empty_postgresql) as engine:
        schema.upgrade(engine)
    processes = {}
    for name in ("one", "two"):
        own = home_beside(registry.home(), tmp_path / name)
        env = environment(BENTOML_HOME=str(own), CHURN_MODEL=model.tag, DATABASE_URL=empty_postgresql)
        port = free_port()
        command = [sys.executable, "-m", "bentoml", "serve", "service:Churn", "--host", "127.0.0.1"]
        processes[f"http://127.0.0.1:{port}"] = Process([*command, "--port", str(port)], env, PROJECT)
    try:
        for url, process in processes.items():
            process.await_ready(url)
        user, token = shown("".join(process.output for process in processes.values()))
        for url in processes:
            assert statuses(url, user, token) == [200, 200]
    finally:
        for process in processes.values():
            process.stop()


@contextmanager
def database_that_is_away() -> Iterator[tuple[postgres.OwnServer, str]]:
    """Yield a PostgreSQL that is stopped, and the URL of a database at head in it."""
    with postgres.own_server() as own, postgres.database(own.url) as url:
        with opened(url) as engine:
            schema.upgrade(engine)
        own.stop("fast")
        yield own, url
        if not own.is_running:
            own.start()


def await_count(server: RestartableServer, line: str, times: int = 2) -> None:
    """Wait until the workers have said something so many times."""
    wait_until(lambda: server.process.output.count(line) == times, lambda: server.process.output)


def test_with_the_database_away_they_are_made_when_it_is_back_by_one_worker(
    model: ServedModel, home: Path
) -> None:
    with database_that_is_away() as (own, url):
        env = environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, DATABASE_URL=url, CHURN_WORKERS="2")
        with RestartableServer(env) as server:
            await_count(server, "the journal goes to the spool\n")
            assert SHOWN not in server.process.output
            own.start()
            await_count(server, "the database takes rows again\n")
            user, token = shown(server.process.output)
            assert statuses(server.url, user, token) == [200, 200]
        assert server.process.output.count(SHOWN) == 2


def test_they_are_made_too_where_the_database_is_back_before_a_worker_looks(
    engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    probe = DatabaseProbe(engine, load(), has_identities=False)
    probe()
    probe()
    user, token = shown(capfd.readouterr().err)
    assert sign_in(engine, *user).is_good
    assert verify_token(engine, token) is not None


SECRET = "hV7rWm3TqZ9xKc5LnB2d"


def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the environment name a user and a token."""
    monkeypatch.setenv("API_USERNAME", "marie")
    monkeypatch.setenv("API_PASSWORD", "correct horse")
    monkeypatch.setenv("API_TOKEN", SECRET)


def revoke(engine: Engine) -> None:
    """Do what an operator does who finds both in the wrong hands."""
    with engine.begin() as connection:
        revoke_token(connection, list_tokens(engine)[0].name)
        set_password(connection, "marie", "another horse")


def is_away(engine: Engine, probe: DatabaseProbe) -> None:
    """Have the database be away for a moment."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE alembic_version RENAME TO elsewhere"))
    with pytest.raises(DatabaseError):
        probe()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO alembic_version"))


def test_what_an_operator_took_away_does_not_come_back_after_an_outage(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch)
    probe = DatabaseProbe(engine, load(), has_identities=False)
    probe()
    revoke(engine)
    is_away(engine, probe)
    probe()
    assert verify_token(engine, SECRET) is None
    assert not sign_in(engine, "marie", "correct horse").is_good


def test_nor_with_a_worker_that_takes_the_place_of_another(
    engine: Engine, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch)
    monkeypatch.setenv("CHURN_MODEL", model.tag)
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    has_identities = prepare(load(), TECHNOVA)
    revoke(engine)
    DatabaseProbe(engine, load(), has_identities=has_identities)()
    assert not sign_in(engine, "marie", "correct horse").is_good


def test_nor_in_a_real_server(model: ServedModel, home: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'churn.db'}"
    own = {"API_USERNAME": "marie", "API_PASSWORD": "correct horse", "API_TOKEN": SECRET}
    env = environment(BENTOML_HOME=str(home), CHURN_MODEL=model.tag, DATABASE_URL=url, **own)
    with RestartableServer(env) as server, opened(url) as engine:
        assert statuses(server.url, ("marie", "correct horse"), SECRET) == [200, 200]
        with engine.begin() as connection:
            set_password(connection, "marie", "another horse")
        with httpx.Client(base_url=server.url) as caller:
            caller.get("/livez")
            [worker] = server.workers()
            server.kill_worker(lambda found: found[0])
        wait_until(lambda: not psutil.pid_exists(worker))
        httpx.get(f"{server.url}/readyz", timeout=60).raise_for_status()
        assert statuses(server.url, ("marie", "correct horse"), SECRET) == [401, 200]


def test_a_start_with_a_revoked_token_is_refused_and_a_running_service_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    named(monkeypatch)
    ensure_identities(engine, load())
    revoke(engine)
    with pytest.raises(IdentityError, match="API_TOKEN was revoked"):
        ensure_identities(engine, load())
    DatabaseProbe(engine, load(), has_identities=False)()
    assert [line.getMessage() for line in caplog.records if "revoked" in line.getMessage()]
    assert verify_token(engine, SECRET) is None


def test_a_build_which_imports_the_service_makes_and_shows_nothing(home: Path) -> None:
    env = environment(BENTOML_HOME=str(home), CHURN_ENV_FILE=os.devnull)
    command = [sys.executable, "-c", "import service"]
    imported = subprocess.run(command, env=env, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert SHOWN not in imported.stdout + imported.stderr
    assert not list(home.glob("churn.db*"))
