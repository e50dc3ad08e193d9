import threading
import uuid
from datetime import UTC, datetime, timedelta, timezone

import anyio
import pytest
from sqlalchemy import Engine, event, func, insert, select, text
from sqlalchemy.exc import StatementError

from churn.errors import DatabaseError
from churn.storage import schema
from churn.storage.engine import opened
from churn.storage.ids import new_id
from churn.storage.journal import Caller, Exchange, Journal, Scored
from churn.storage.tables import (
    JOURNAL,
    api_responses,
    employee_inputs,
    features,
    prediction_results,
    requests,
)
from tests import postgres

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def scored(employee_id: int | None = None) -> Scored:
    return Scored(
        id=new_id(),
        record={"employee_id": employee_id, "poste": "Tech Lead", "age": 40},
        values={"poste": "Tech Lead"},
        base_value=-1.5,
        contributions={"poste": 0.25},
        model="churn:abc",
        prediction=1,
        probability=0.2227,
        threshold=0.2,
    )


def exchange(*predictions: Scored) -> Exchange:
    return Exchange(
        id=new_id(),
        received_at=NOON,
        method="POST",
        route="/predict",
        caller=Caller("token", uuid.UUID(int=7), "ci"),
        answered_at=NOON + timedelta(milliseconds=5),
        status=200,
        duration_ms=5.0,
        body={"probability": 0.2227, "message": "Employé stable"},
        scored=predictions,
    )


def count(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in JOURNAL
        }


def test_one_prediction_is_five_rows_that_lead_to_one_another(engine: Engine) -> None:
    one = scored(employee_id=12)
    call = exchange(one)
    Journal(engine).write(call)
    with engine.connect() as connection:
        request = connection.execute(select(requests)).one()
        sent_in = connection.execute(select(employee_inputs)).one()
        seen = connection.execute(select(features)).one()
        result = connection.execute(select(prediction_results)).one()
        answer = connection.execute(select(api_responses)).one()
    assert (request.id, request.received_at, request.route) == (call.id, NOON, "/predict")
    assert (request.caller_kind, request.caller_id, request.caller_name) == ("token", uuid.UUID(int=7), "ci")
    assert (sent_in.request_id, sent_in.employee_id, sent_in.record) == (call.id, "12", one.record)
    assert (seen.input_id, seen.base_value, seen.contributions) == (sent_in.id, -1.5, {"poste": 0.25})
    assert (result.id, result.input_id, result.request_id) == (one.id, sent_in.id, call.id)
    assert (result.model, result.prediction, result.probability) == ("churn:abc", 1, 0.2227)
    assert (answer.request_id, answer.status, answer.body) == (call.id, 200, call.body)


def test_a_batch_is_one_request_with_many_inputs_in_order(engine: Engine) -> None:
    predictions = [scored(employee_id) for employee_id in (30, 10, 20)]
    Journal(engine).write(exchange(*predictions))
    assert count(engine) == {
        "requests": 1,
        "employee_inputs": 3,
        "features": 3,
        "prediction_results": 3,
        "api_responses": 1,
    }
    with engine.connect() as connection:
        ids = connection.execute(
            select(employee_inputs.c.employee_id).order_by(employee_inputs.c.position)
        ).scalars()
        assert list(ids) == ["30", "10", "20"]


def test_a_refused_call_is_a_request_and_a_response(engine: Engine) -> None:
    Journal(engine).write(exchange())
    assert count(engine) == {
        "requests": 1,
        "employee_inputs": 0,
        "features": 0,
        "prediction_results": 0,
        "api_responses": 1,
    }


def test_what_fails_half_way_leaves_nothing(engine: Engine) -> None:
    one = scored()
    Journal(engine).write(exchange(one))
    before = count(engine)
    with pytest.raises(DatabaseError, match="refuses what it was told") as caught:
        Journal(engine).write(exchange(one))  # the prediction's key is taken: the fourth table refuses
    assert count(engine) == before
    assert "Tech Lead" not in str(caught.value) + str(caught.value.__cause__)


def test_record_has_committed_when_it_returns_and_kept_off_the_event_loop(engine: Engine) -> None:
    threads: set[int] = set()
    event.listen(engine, "commit", lambda _: threads.add(threading.get_ident()))
    anyio.run(Journal(engine).record, exchange(scored()))
    assert count(engine)["prediction_results"] == 1
    assert threads
    assert threading.get_ident() not in threads


def test_check_leaves_nothing(engine: Engine) -> None:
    Journal(engine).check()
    assert set(count(engine).values()) == {0}


def test_writing_goes_on_after_the_database_has_cut_every_connection(postgresql: str) -> None:
    with postgres.database(postgresql) as url, opened(url) as engine, opened(postgresql) as admin:
        schema.upgrade(engine)
        Journal(engine).write(exchange(scored()))
        with admin.connect() as connection:
            cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :name"
            assert connection.execute(text(cut), {"name": engine.url.database}).scalar_one() >= 1
        Journal(engine).write(exchange(scored()))
        assert count(engine)["api_responses"] == 2


def test_keys_sort_by_the_time_they_were_made() -> None:
    keys = [new_id() for _ in range(1000)]
    assert keys == sorted(keys)
    assert {key.version for key in keys} == {7}


def test_moments_come_back_in_utc_and_a_naive_one_is_refused(engine: Engine) -> None:
    call = exchange()
    call.received_at = NOON.astimezone(timezone(timedelta(hours=2)))
    Journal(engine).write(call)
    with engine.begin() as connection:
        found = connection.execute(select(requests.c.received_at)).scalar_one()
        assert (found, found.utcoffset()) == (NOON, timedelta(0))
        row = {
            "id": new_id(),
            "received_at": datetime(2026, 1, 1),
            "method": "POST",
            "route": "/",
            "caller_kind": "user",
        }
        with pytest.raises(StatementError, match="without a time zone"):
            connection.execute(insert(requests), row)
