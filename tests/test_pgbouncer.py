"""Behind PgBouncer in transaction mode, with its other settings as they come: everything that churn does."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.types import ASGIApp

from churn.cli.main import main
from churn.database import partitions, schema, session, tables
from churn.database.engine import opened
from churn.database.months import Month
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness import postgres
from harness.servers import home_beside, wait_until
from tests.conftest import _served
from tests.support import journal0001
from tests.support.calls import count
from tests.support.company import EXAMPLE
from tests.support.journal0001 import NOVEMBER
from tests.support.monthly import keys, months
from tests.support.pgbouncer import pooled

Command = Callable[..., str]


@pytest.fixture
def url(postgresql: str) -> Iterator[str]:
    """Return the URL of a new database, without a schema, behind a PgBouncer."""
    with postgres.database(postgresql) as direct, pooled(direct) as made:
        yield made


@pytest.fixture
def command(url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DATABASE_URL", url)

    def run(*arguments: str) -> str:
        told = CliRunner().invoke(main, list(arguments))
        assert told.exit_code == 0, told.output
        return told.output

    return run


def test_the_service_and_every_command_work(
    url: str, command: Command, app: ASGIApp, model: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("db", "upgrade")
    with opened(url) as engine, _served(app, model, engine, monkeypatch) as served:
        for employee in ("E-1", "E-2"):
            answer = served.client.post("/predict", json={**EXAMPLE, "employee_id": employee})
            assert answer.status_code == 200, answer.text
        assert served.client.post("/predict_batch", json=[EXAMPLE] * 300).status_code == 200
        assert len(served.client.get("/history?limit=200").json()["predictions"]) == 200
        assert served.client.get("/readyz").json()["database"] == "ready"
    assert "302 predictions come out as they were logged" in command("data", "replay")
    command("data", "show", "E-1", "--json")
    assert "1 predictions and 1 answers erased" in command("data", "erase", "E-1", "--yes")
    command("data", "purge", "--older-than", "365d", "--yes")
    assert "changed" in command("audit")
    assert "the journal is as it was written" in command("data", "verify")
    assert "partitions: 4 months" in command("db", "check")


def test_the_schema_is_migrated_and_partitioned(url: str, command: Command) -> None:
    now = datetime.now(UTC)
    with opened(url) as engine:
        schema.upgrade(engine, "0001")
        calls = journal0001.log_many(engine, [NOVEMBER, now])
        command("db", "upgrade")
        assert months(engine)[-4:] == Month.of(now).through(3)
        with ThreadPoolExecutor(2) as both:  # one waits for the other
            for made in [both.submit(partitions.ensure, engine, 5) for _ in range(2)]:
                made.result()
        assert months(engine)[-1] == Month.of(now).through(5)[-1]
        assert keys(engine, tables.requests) == {call.id for call in calls}
        schema.downgrade(engine, "0001")


def test_answers_go_on_while_it_waits_for_a_database_that_is_gone(
    app: ASGIApp, model: ServedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(session, "PATIENCE", 1.0)
    monkeypatch.setenv("BENTOML_HOME", str(home_beside(registry.home(), tmp_path)))
    with postgres.own_server() as own, pooled(own.url, retry=1) as url, opened(url) as engine:
        schema.upgrade(engine)
        with _served(app, model, engine, monkeypatch) as served:
            assert served.client.post("/predict", json=EXAMPLE).status_code == 200
            own.stop()
            # By itself, PgBouncer would keep this one for two minutes.
            answer = served.client.post("/predict", json=EXAMPLE)
            assert (answer.status_code, answer.json().get("detail")) == (200, None)
            said = served.client.get("/readyz").json()
            assert (said["database"], said["spool"]["records"]) == ("away", 1)
            own.start()
            wait_until(lambda: served.client.get("/readyz").json()["spool"]["records"] == 0)
            assert served.client.post("/predict", json=EXAMPLE).status_code == 200
        assert count(engine)["prediction_results"] == 3
        assert verify(engine).findings == []
