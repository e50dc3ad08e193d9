"""Outages: the database goes away under a real `bentoml serve`, and comes back."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import employee_inputs, prediction_results, requests
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness import postgres
from harness.audit import Audit, audit, in_order
from harness.clients import Clients
from harness.crashes import has_replayed
from harness.postgres import OwnServer
from harness.servers import RestartableServer, environment, home_beside
from tests.support.company import EXAMPLE

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
CALLS = 30
MANY = 100
Env = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """Return a PostgreSQL that these tests may stop."""
    with postgres.own_server() as made:
        yield made


@pytest.fixture
def url(own: OwnServer) -> Iterator[str]:
    """Return the URL of a new database at head; its server runs, and runs again afterwards."""
    with postgres.database(own.url) as made:
        with opened(made) as engine:
            schema.upgrade(engine)
        yield made
        if not own.is_running:
            own.start()


@pytest.fixture
def home(model: ServedModel, tmp_path: Path) -> Path:
    """Return a BENTOML_HOME with the model, and without a spool."""
    return home_beside(registry.home(), tmp_path)


@pytest.fixture
def env(model: ServedModel, home: Path) -> Env:
    """Return what makes a server's environment of the URL of its database and further settings."""

    def made(url: str, **settings: str) -> dict[str, str]:
        own = {"BENTOML_HOME": str(home), "CHURN_MODEL": model.tag, "API_TOKEN": TOKEN, "DATABASE_URL": url}
        return environment(**own, **settings)

    return made


def busy(server: RestartableServer, patience: float = 60) -> Clients:
    return Clients(server.url, TOKEN, count=4, patience=patience)


def predict(server: RestartableServer, token: str = TOKEN, **changes: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{server.url}/predict", json={**EXAMPLE, **changes}, headers=headers, timeout=60)


def predict_many(server: RestartableServer) -> httpx.Response:
    """Have so many scored at once that another process does it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    many = [{**EXAMPLE, "employee_id": f"E-{number}"} for number in range(MANY)]
    return httpx.post(f"{server.url}/predict_batch", json=many, headers=headers, timeout=60)


def metric(server: RestartableServer, name: str) -> float:
    lines = httpx.get(f"{server.url}/metrics", timeout=60).text.splitlines()
    [value] = [line.split()[-1] for line in lines if line.split()[0] == name]
    return float(value)


def is_away(said: dict[str, Any]) -> bool:
    return bool(said["database"] == "away")


def has_spooled(said: dict[str, Any]) -> bool:
    return bool(said["spool"]["records"] > 0)


def audited(url: str, clients: Clients) -> Audit:
    """Return what became of the answers, committed in their order."""
    with opened(url) as engine:
        assert in_order(engine)
        return audit(engine, clients.answers)


def test_answers_go_on_without_the_database_and_are_replayed(
    own: OwnServer, url: str, env: Env, home: Path
) -> None:
    with RestartableServer(env(url)) as server:
        with busy(server) as clients:
            clients.await_calls(CALLS)
            for mode in ("fast", "immediate"):
                own.stop(mode)
                server.await_ready(is_away)
                clients.await_calls(CALLS)
                said = server.await_ready(has_spooled)
                assert said["code"] == 200
                assert said["spool"]["bytes"] > 0
                assert metric(server, "churn_database_up") == 0
                assert metric(server, "churn_spool_records") >= said["spool"]["records"]
                assert metric(server, "churn_spool_bytes") >= said["spool"]["bytes"]
                own.start()
                server.await_ready(has_replayed)
                clients.await_calls(CALLS)
        server.await_ready(has_replayed)
        assert metric(server, "churn_spool_records") == metric(server, "churn_spool_set_aside") == 0
        assert metric(server, "churn_database_up") == 1
    assert (clients.cut, set(clients.statuses)) == (0, {200})
    assert audited(url, clients).faults == {}
    assert [*home.glob("spool/*.spool")] == []


def test_what_a_killed_server_had_spooled_is_replayed_once_by_the_next(
    own: OwnServer, url: str, env: Env, home: Path
) -> None:
    with RestartableServer(env(url)) as server, busy(server) as clients:
        clients.await_calls(CALLS)
        own.stop()
        server.await_ready(is_away)
        clients.await_calls(CALLS)
        server.kill()
        spooled = {path: path.read_bytes() for path in home.glob("spool/*.spool")}
        assert spooled
        server.start()
        clients.await_calls(CALLS)
        server.await_ready(has_spooled)
        own.start()
        server.await_ready(has_replayed)
        server.kill()
        # As they are after a kill between the commit of what they hold and their removal.
        for path, content in spooled.items():
            path.write_bytes(content)
        server.start()
        clients.await_calls(CALLS)
        assert server.await_ready(has_replayed)["spool"]["set_aside"] == 0
    assert set(clients.statuses) == {200}
    assert audited(url, clients).faults == {}
    assert [*home.glob("spool/*.spool")] == []


def review(server: RestartableServer, prediction: str, comment: str) -> httpx.Response:
    body = {"verdict": "disagree", "comment": comment}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    address = f"{server.url}/predictions/{prediction}/review"
    return httpx.post(address, json=body, headers=headers, timeout=60)


def test_a_review_is_whole_or_refused_and_outlives_a_restart(own: OwnServer, url: str, env: Env) -> None:
    with RestartableServer(env(url)) as server:
        key = predict(server).json()["prediction_id"]
        assert review(server, key, "before").status_code == 200
        own.stop()
        refused = review(server, key, "while away")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        server.await_ready(is_away)
        assert review(server, key, "still away").status_code == 503
        own.start()
        server.await_ready(has_replayed)
        assert review(server, key, "after").status_code == 200
        server.kill()
        server.start()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        told = httpx.get(f"{server.url}/predictions/{key}", headers=headers, timeout=60).json()
        assert [one["comment"] for one in told["reviews"]] == ["before", "after"]
        assert "while away" not in server.process.output
    with opened(url) as engine:
        assert verify(engine).findings == []


def test_a_start_without_the_database(own: OwnServer, url: str, env: Env) -> None:
    own.stop()
    with RestartableServer(env(url)) as server:
        told = [line for line in server.process.output.splitlines() if "goes to the spool" in line]
        assert told
        assert all("does not answer" in line for line in told)
        assert is_away(server.ready())
        assert predict(server, token="somebody-elses-0123456789").status_code == 503
        answer = predict(server, employee_id="E-early")
        assert answer.status_code == 200
        many = predict_many(server)
        assert (many.status_code, len(many.json())) == (200, MANY)
        own.start()
        server.await_ready(has_replayed)
        assert predict(server, token="somebody-elses-0123456789").status_code == 401
        assert predict(server).status_code == 200
        assert "Traceback" not in server.process.output
    with opened(url) as engine, engine.connect() as connection:
        known = employee_inputs.c.employee_id == "E-early"
        found = select(employee_inputs.c.id).where(known)
        assert [str(key) for key in connection.execute(found).scalars()] == [answer.json()["prediction_id"]]
        others = select(prediction_results.c.id)
        kept = {str(key) for key in connection.execute(others).scalars()}
        assert {one["prediction_id"] for one in many.json()} < kept
        names = select(requests.c.caller_name).where(requests.c.route == "/predict", requests.c.times == 1)
        assert any(str(name).startswith("api-token") for name in connection.execute(names).scalars())


def test_a_worker_that_has_yet_to_open_its_own_connection_goes_to_the_spool(
    own: OwnServer, url: str, env: Env
) -> None:
    with RestartableServer(env(url)) as server:
        # The first batch goes by another connection, with which the chain begins.
        assert predict(server).status_code == 200
        own.stop()
        assert predict(server).status_code == 200
        assert server.await_ready(has_spooled)["spool"]["records"] == 1
        own.start()
        server.await_ready(has_replayed)
        assert "the journal failed" not in server.process.output


def test_no_prediction_without_the_database_where_the_spool_is_turned_off(
    own: OwnServer, url: str, env: Env, home: Path
) -> None:
    with RestartableServer(env(url, CHURN_JOURNAL_FALLBACK="refuse")) as server:
        with busy(server) as clients:
            clients.await_calls(CALLS)
            own.stop()
            clients.await_calls(CALLS, status=503)
            refused = httpx.get(f"{server.url}/readyz", timeout=60)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            answered = len(clients.answers)
            clients.await_calls(CALLS, status=503)
            assert len(clients.answers) == answered
            many = predict_many(server)
            assert (many.status_code, many.headers["Retry-After"]) == (503, "5")
            own.start()
            clients.await_calls(CALLS)
        server.await_ready(lambda said: said["code"] == 200)
    assert (clients.cut, set(clients.statuses)) == (0, {200, 503})
    assert {refusal.retry_after for refusal in clients.refusals} == {"5"}
    assert not any("probability" in str(refusal.body) for refusal in clients.refusals)
    assert audited(url, clients).faults == {}
    assert not (home / "spool").exists()


def test_no_prediction_where_neither_database_nor_spool_can_be_written(
    own: OwnServer, url: str, env: Env, home: Path
) -> None:
    (home / "spool").write_text("a file where a folder should be")
    with RestartableServer(env(url)) as server, busy(server) as clients:
        clients.await_calls(CALLS)
        own.stop()
        clients.await_calls(CALLS, status=503)
        answered = len(clients.answers)
        clients.await_calls(CALLS, status=503)
        assert len(clients.answers) == answered
        assert httpx.get(f"{server.url}/readyz", timeout=60).status_code == 503
        own.start()
        clients.await_calls(CALLS)
    assert (clients.cut, set(clients.statuses)) == (0, {200, 503})
    assert {refusal.retry_after for refusal in clients.refusals} == {"5"}
    assert not any("probability" in str(refusal.body) for refusal in clients.refusals)
    assert audited(url, clients).faults == {}


def test_a_corrupt_record_is_set_aside_and_the_rest_replayed(
    own: OwnServer, url: str, env: Env, home: Path
) -> None:
    own.stop()
    with RestartableServer(env(url)) as server:
        people = [f"E-{number}" for number in range(5)]
        said = [predict(server, employee_id=name).json()["prediction_id"] for name in people]
        server.kill()
        [segment] = home.glob("spool/*.spool")
        damaged = segment.read_bytes().replace(b"E-2", b"E-9", 1)
        segment.write_bytes(damaged)
        own.start()
        server.start()
        state = server.await_ready(has_replayed)
        assert state["spool"]["set_aside"] == metric(server, "churn_spool_set_aside") == 1
        output = server.process.output
        assert "set aside" in output
        assert "E-9" not in output
        assert "Traceback" not in output
    with opened(url) as engine, engine.connect() as connection:
        found = connection.execute(select(employee_inputs.c.id).order_by(employee_inputs.c.id)).scalars()
        assert [str(key) for key in found] == [*said[:2], *said[3:]]


def test_a_locked_sqlite_holds_nobody_up(env: Env, tmp_path: Path) -> None:
    path = tmp_path / "churn.db"
    url = f"sqlite:///{path}"
    # Longer than the journal waits for the lock, and shorter than what a caller takes for a hang.
    with RestartableServer(env(url)) as server:
        with busy(server, patience=30) as clients:
            clients.await_calls(CALLS)
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                server.await_ready(has_spooled)
                clients.await_calls(CALLS)
                assert other.in_transaction
            server.await_ready(has_replayed)
            clients.await_calls(CALLS)
        server.await_ready(has_replayed)
    assert clients.cut == 0
    assert set(clients.statuses) <= {200, 503}
    assert audited(url, clients).faults == {}
