"""Jobs under a real `bentoml serve` with two workers: whoever is killed, each row is journalled once."""

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest
from sqlalchemy import Engine, func, select

from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import api_responses, prediction_results, requests
from churn.jobs.job import load
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness.servers import RestartableServer, environment, home_beside, wait_until
from tests.support.jobs import Job, awaited, csv_of, processes_of, send
from tests.support.leak_sources import database
from tests.support.tables import employees

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
TIMES = 60
ROWS = 300 * TIMES  # more than are journalled before somebody can act
MANY = csv_of(pd.concat([employees(300)] * TIMES).assign(employee_id=range(ROWS)))


class Fresh:
    """A client that opens a connection for each call, so that any worker may answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._options = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "timeout": 120}

    def get(self, path: str, **options: object) -> httpx.Response:
        return httpx.get(self._url + path, **{**self._options, **options})  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> httpx.Response:
        return httpx.post(self._url + path, **{**self._options, **options})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Database:
    """A database at head, an engine on it, and a context without it."""

    url: str
    engine: Engine
    away: Callable[[], AbstractContextManager[object]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return a database, one of each kind."""
    folder = tmp_path_factory.mktemp("database")
    with database(request.param, folder, TOKEN) as (url, away), opened(url) as engine:
        schema.upgrade(engine)
        yield Database(url, engine, away)


@pytest.fixture(scope="module")
def engine(stored: Database) -> Engine:
    return stored.engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def server(model: ServedModel, folder: Path, stored: Database) -> Iterator[RestartableServer]:
    """Return one server for all: the last test that needs it ends it."""
    shutil.rmtree(folder / "home", ignore_errors=True)
    env = environment(
        BENTOML_HOME=str(home_beside(registry.home(), folder)),
        DATABASE_URL=stored.url,
        CHURN_MODEL=model.tag,
        API_TOKEN=TOKEN,
        CHURN_WORKERS="2",
    )
    with RestartableServer(env) as server:
        yield server


def journalled(engine: Engine, job: Job) -> list[str]:
    """Return the ids of the predictions that a job has journalled."""
    with engine.connect() as connection:
        calls = (
            select(requests.c.id, api_responses.c.body)
            .join(api_responses, api_responses.c.request_id == requests.c.id)
            .where(requests.c.route == "/predict_file", api_responses.c.status == 200)
        )
        own = [call.id for call in connection.execute(calls) if call.body["job"] == job["id"]]
        query = select(prediction_results.c.id).where(prediction_results.c.request_id.in_(own))
        return [str(prediction) for prediction in connection.execute(query).scalars()]


def predictions(engine: Engine) -> int:
    """Return how many predictions are journalled."""
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(prediction_results)).scalar_one()


def begun(server: RestartableServer, client: Fresh, engine: Engine) -> tuple[Job, psutil.Process]:
    """Send a large file, and return its job and who works on it once some of it is journalled."""
    before = predictions(engine)
    job = send(client, MANY)

    def is_begun() -> bool:
        client.get(job["addresses"]["self"])  # any worker sees to it: one of them has it worked on
        assert len(processes_of(server)) <= 1
        return predictions(engine) > before

    wait_until(is_begun, lambda: server.process.output)
    [process] = processes_of(server)
    return job, process


def is_whole(client: Fresh, job: Job, engine: Engine) -> None:
    """Fail unless a job is done, and each of its rows in the journal once."""
    ended = awaited(client, job)
    assert (ended["state"], ended["scored"]) == ("done", ROWS), ended
    scores = pd.read_csv(io.BytesIO(client.get(f"{job['addresses']['result']}?lang=en").content))
    stored = journalled(engine, job)
    assert sorted(stored) == sorted(scores["prediction_id"])
    assert len(set(stored)) == ROWS


def test_a_running_job_is_cancelled(server: RestartableServer, folder: Path, engine: Engine) -> None:
    client = Fresh(server.url)
    job, _ = begun(server, client, engine)
    assert client.post(job["addresses"]["cancel"]).status_code == 200
    assert awaited(client, job)["state"] == "cancelled"
    assert client.get(job["addresses"]["result"]).status_code == 409
    assert len(journalled(engine, job)) < ROWS
    left = folder / "home" / "jobs" / job["id"]
    wait_until(lambda: {path.name for path in left.iterdir()} == {"state.json"})
    assert awaited(client, send(client, csv_of(employees(5))))["state"] == "done"


def test_it_waits_for_a_database_that_is_away(server: RestartableServer, stored: Database) -> None:
    client = Fresh(server.url)
    job, process = begun(server, client, stored.engine)
    with stored.away():
        answer = client.get(job["addresses"]["self"])
        assert (answer.status_code, answer.json().get("state")) == (200, "scoring"), answer.text
    is_whole(client, job, stored.engine)
    assert set(processes_of(server)) <= {process}  # the same has gone on


def test_its_process_is_killed(server: RestartableServer, engine: Engine) -> None:
    client = Fresh(server.url)
    job, process = begun(server, client, engine)
    assert process.nice() > psutil.Process(server.process.pid).nice()
    process.kill()
    process.wait()
    assert len(journalled(engine, job)) < ROWS
    is_whole(client, job, engine)
    assert {client.get(job["addresses"]["self"]).status_code for _ in range(10)} == {200}


def test_its_server_is_stopped_which_is_no_fault_of_the_job(
    server: RestartableServer, folder: Path, engine: Engine
) -> None:
    client = Fresh(server.url)
    job, process = begun(server, client, engine)
    server.stop()
    assert not process.is_running()
    state = load((folder / "home" / "jobs" / job["id"] / "state.json").read_bytes())
    assert (state.state, state.attempts) == ("scoring", 0)
    server.start()
    is_whole(client, job, engine)


def test_its_worker_is_killed_and_then_the_whole_server(server: RestartableServer, engine: Engine) -> None:
    client = Fresh(server.url)
    job, process = begun(server, client, engine)
    worker = process.parent()
    assert worker is not None
    worker.kill()
    process.wait(30)  # ends with its worker
    server.kill()
    assert len(journalled(engine, job)) < ROWS
    server.start()
    is_whole(client, job, engine)


def test_after_all_of_it_the_journal_is_as_it_was_written(engine: Engine) -> None:
    report = verify(engine)
    assert (report.findings, predictions(engine) >= 4 * ROWS) == ([], True)
