"""Jobs under a real `bentoml serve` with two workers: whoever is killed, each row is journalled once."""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest
from sqlalchemy import select

from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import prediction_results, requests
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness.servers import RestartableServer, environment, home_beside, wait_until
from tests.support.jobs import Job, awaited, csv_of, send
from tests.support.tables import employees

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
PROGRAM = "churn.jobs.job_process"
MANY = csv_of(pd.concat([employees(300)] * 40).assign(employee_id=range(12_000)))


class Fresh:
    """A client that opens a connection for each call, so that any worker may answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._options = {"headers": {"Authorization": f"Bearer {TOKEN}"}, "timeout": 120}

    def get(self, path: str, **options: object) -> httpx.Response:
        return httpx.get(self._url + path, **{**self._options, **options})  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> httpx.Response:
        return httpx.post(self._url + path, **{**self._options, **options})  # type: ignore[arg-type]


@pytest.fixture
def server(model: ServedModel, tmp_path: Path, database_url: str) -> Iterator[RestartableServer]:
    with opened(database_url) as engine:
        schema.upgrade(engine)
    env = environment(
        BENTOML_HOME=str(home_beside(registry.home(), tmp_path)),
        DATABASE_URL=database_url,
        CHURN_MODEL=model.tag,
        API_TOKEN=TOKEN,
        CHURN_WORKERS="2",
    )
    with RestartableServer(env) as server:
        yield server


def process_of(server: RestartableServer) -> psutil.Process | None:
    """Return the process that works on jobs, if any."""
    for child in server.process.children():
        with suppress(psutil.NoSuchProcess):
            if PROGRAM in child.cmdline():
                return child
    return None


def journalled(url: str) -> list[tuple[str, str]]:
    """Return the ids of what jobs have journalled, and of their calls."""
    with opened(url) as engine, engine.connect() as connection:
        query = select(prediction_results.c.id, requests.c.id).join(
            requests, requests.c.id == prediction_results.c.request_id
        )
        rows = connection.execute(query.where(requests.c.route == "/predict_file")).all()
    return [(str(prediction), str(call)) for prediction, call in rows]


def begun(server: RestartableServer, client: Fresh, url: str) -> tuple[Job, psutil.Process]:
    """Send a large file, and return its job and who works on it once some of it is journalled."""
    job = send(client, MANY)
    wait_until(lambda: bool(journalled(url)), lambda: server.process.output)
    process = process_of(server)
    assert process is not None
    return job, process


def is_whole(client: Fresh, job: Job, url: str) -> None:
    """Fail unless a job is done, and each of its rows in the journal once."""
    ended = awaited(client, job)
    assert (ended["state"], ended["scored"]) == ("done", 12_000), ended
    scores = pd.read_csv(io.BytesIO(client.get(f"{job['addresses']['result']}?lang=en").content))
    stored = [prediction for prediction, _ in journalled(url)]
    assert sorted(stored) == sorted(scores["prediction_id"])
    assert len(set(stored)) == 12_000
    with opened(url) as engine:
        assert verify(engine).findings == []


def test_any_worker_answers_and_whoever_is_killed_nothing_is_lost_or_twice(
    server: RestartableServer, database_url: str
) -> None:
    client = Fresh(server.url)
    job, process = begun(server, client, database_url)
    assert process.nice() > psutil.Process(server.process.pid).nice()
    before = len(journalled(database_url))
    process.kill()
    process.wait()
    assert before < 12_000
    is_whole(client, job, database_url)
    assert {client.get(job["addresses"]["self"]).status_code for _ in range(10)} == {200}


def test_a_job_outlives_its_worker_and_its_server(server: RestartableServer, database_url: str) -> None:
    client = Fresh(server.url)
    job, process = begun(server, client, database_url)
    worker = process.parent()
    assert worker is not None
    worker.kill()
    process.wait(30)  # ends with its worker
    server.kill()
    assert len(journalled(database_url)) < 12_000
    server.start()
    is_whole(client, job, database_url)


def test_a_running_job_is_cancelled(server: RestartableServer, database_url: str) -> None:
    client = Fresh(server.url)
    job, _ = begun(server, client, database_url)
    assert client.post(job["addresses"]["cancel"]).status_code == 200
    assert awaited(client, job)["state"] == "cancelled"
    assert client.get(job["addresses"]["result"]).status_code == 409
    assert len(journalled(database_url)) < 12_000
    [folder] = [path for path in (Path(server_home(server)) / "jobs").iterdir() if path.name == job["id"]]
    assert {path.name for path in folder.iterdir()} == {"state.json"}
    again = send(client, csv_of(employees(5)))
    assert awaited(client, again)["state"] == "done"


def server_home(server: RestartableServer) -> str:
    """Return the BENTOML_HOME of a server."""
    return psutil.Process(server.process.pid).environ()["BENTOML_HOME"]
