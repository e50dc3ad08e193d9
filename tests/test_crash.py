"""Kills under load: what was answered is in the journal, whole and once (`make crash-test` does more)."""

import uuid
from pathlib import Path

import pytest
from sqlalchemy import Table, delete, insert, select, update

from churn.database import schema
from churn.database.engine import opened
from churn.database.tables import JOURNAL, employee_inputs, features, prediction_results
from churn.model import registry
from churn.model.registry import ServedModel
from harness.audit import audit
from harness.clients import Answered
from harness.crashes import CALLS, crash
from harness.servers import environment, home_beside
from tests.conftest import Served
from tests.support.company import EXAMPLE

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"


def test_a_killed_worker_and_a_killed_server_lose_no_answer(
    model: ServedModel, database_url: str, tmp_path: Path
) -> None:
    with opened(database_url) as engine:
        schema.upgrade(engine)
    env = environment(
        BENTOML_HOME=str(home_beside(registry.home(), tmp_path)),
        CHURN_MODEL=model.tag,
        CHURN_WORKERS="2",
        DATABASE_URL=database_url,
        API_TOKEN=TOKEN,
    )
    found = crash(env, ["worker", "all"], seed=11)
    assert found.faults == {}
    assert found.found == found.answered >= 3 * CALLS


class TestTheAudit:
    """What the crash test trusts: the audit sees what is missing."""

    @pytest.fixture
    def answers(self, served: Served) -> list[Answered]:
        people = [{**EXAMPLE, "employee_id": f"E{number}"} for number in range(3)]
        said = [served.client.post("/predict", json=people[0]).json()]
        said += served.client.post("/predict_batch", json=people[1:]).json()
        return [
            Answered(uuid.UUID(one["prediction_id"]), str(person["employee_id"]), one["probability"])
            for one, person in zip(said, people, strict=True)
        ]

    def test_finds_nothing_where_all_is_there(self, served: Served, answers: list[Answered]) -> None:
        found = audit(served.engine, answers)
        assert (found.answered, found.found, found.unheard, found.faults) == (3, 3, 0, {})

    def test_tells_what_nobody_heard(self, served: Served, answers: list[Answered]) -> None:
        assert audit(served.engine, answers[1:]).unheard == 1

    @pytest.mark.parametrize("table", JOURNAL, ids=lambda table: table.name)
    def test_finds_a_missing_row(self, served: Served, answers: list[Answered], table: Table) -> None:
        key = table.primary_key.columns[0]
        mine = answers[0].prediction_id
        with served.engine.begin() as connection:
            if table.name in ("requests", "api_responses"):
                of = employee_inputs.c.id == mine
                mine = connection.execute(select(employee_inputs.c.request_id).where(of)).scalar_one()
            connection.execute(delete(table).where(key == mine))
        found = audit(served.engine, answers)
        assert found.lost == 1
        assert found.half >= 1

    def test_finds_a_prediction_that_is_gone_from_a_batch(
        self, served: Served, answers: list[Answered]
    ) -> None:
        with served.engine.begin() as connection:
            for table in (employee_inputs, features, prediction_results):
                connection.execute(delete(table).where(table.c.id == answers[2].prediction_id))
        assert audit(served.engine, answers).faults == {"lost": 1, "half": 1}
        assert audit(served.engine, answers[:2]).faults == {"half": 1}

    def test_finds_what_was_written_twice(self, served: Served, answers: list[Answered]) -> None:
        again = {"id": uuid.uuid4(), "request_id": uuid.uuid4(), "position": 0, "employee_id": "E0"}
        with served.engine.begin() as connection:
            connection.execute(insert(employee_inputs), again)
        assert audit(served.engine, answers).duplicated == 1

    def test_finds_what_says_something_else(self, served: Served, answers: list[Answered]) -> None:
        changed = update(prediction_results).where(prediction_results.c.id == answers[0].prediction_id)
        with served.engine.begin() as connection:
            connection.execute(changed.values(probability=0.5))
        assert audit(served.engine, answers).faults == {"altered": 1}
