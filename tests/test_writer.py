"""Entries in the database: what they look like there, all or none, and any text survives."""

import uuid
from datetime import timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import StatementError

from churn.core.errors import DatabaseError
from churn.core.ids import new_id
from churn.database import schema
from churn.database.engine import opened
from churn.database.postgres_connection import Cursor
from churn.database.tables import (
    api_responses,
    employee_inputs,
    features,
    journal_batches,
    prediction_results,
    requests,
)
from churn.journal.entry import Entry, entry_of, load
from churn.journal.writer import Writer
from harness import postgres
from tests.support.calls import NOON, count, make_call, scored


def entries(number: int) -> list[Entry]:
    return [entry_of(make_call(scored())) for _ in range(number)]


def test_one_prediction_is_five_rows_that_lead_to_one_another(engine: Engine) -> None:
    one = scored(employee_id=12)
    call = make_call(one)
    Writer(engine).write([entry_of(call)])
    with engine.connect() as connection:
        request = connection.execute(select(requests)).one()
        sent_in = connection.execute(select(employee_inputs)).one()
        seen = connection.execute(select(features)).one()
        result = connection.execute(select(prediction_results)).one()
        answer = connection.execute(select(api_responses)).one()
    assert (request.id, request.received_at, request.route) == (call.id, NOON, "/predict")
    assert (request.caller_kind, request.caller_id, request.caller_name) == ("token", uuid.UUID(int=7), "ci")
    assert (request.model, request.times) == ("churn:abc", 1)
    assert (sent_in.request_id, sent_in.employee_id, sent_in.record) == (call.id, "12", one.record)
    assert (seen.base_value, seen.contributions) == (-1.5, {"poste": 0.25})
    assert sent_in.id == seen.id == result.id == one.id
    assert (result.request_id, result.caller_name) == (call.id, "ci")
    assert (result.model, result.prediction, result.probability) == ("churn:abc", 1, 0.2227)
    assert (answer.request_id, answer.status) == (call.id, 200)
    assert answer.body == {"probability": 0.2227, "message": "Employé stable"}


def test_a_batch_is_one_request_with_many_inputs_in_order(engine: Engine) -> None:
    predictions = [scored(employee_id) for employee_id in (30, 10, 20)]
    Writer(engine).write([entry_of(make_call(*predictions))])
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


def test_more_rows_than_one_statement_takes(engine: Engine) -> None:
    Writer(engine).write([entry_of(make_call(*[scored(number) for number in range(5600)]))])
    assert count(engine)["features"] == 5600


def test_a_refused_call_is_a_request_and_a_response(engine: Engine) -> None:
    Writer(engine).write([entry_of(make_call(status=422))])
    assert list(count(engine).values()) == [1, 0, 0, 0, 1]


def test_what_fails_half_way_leaves_nothing(engine: Engine) -> None:
    writer, one = Writer(engine), scored()
    writer.write([entry_of(make_call(one))])
    before = count(engine)
    with pytest.raises(DatabaseError, match="refuses what it was told") as caught:
        writer.write([*entries(3), entry_of(make_call(one))])  # the prediction's key is taken
    assert count(engine) == before
    assert "Tech Lead" not in str(caught.value) + str(caught.value.__cause__)
    writer.write(entries(1))
    assert count(engine)["requests"] == 2


def test_what_was_replayed_before_is_left_alone(engine: Engine) -> None:
    some = entries(3)
    Writer(engine).write(some[:2])
    for _ in range(2):
        Writer(engine).write(some, replayed=True)
    assert set(count(engine).values()) == {3}


def test_each_transaction_builds_on_the_one_before(engine: Engine) -> None:
    writer = Writer(engine)
    writer.write(entries(2))
    writer.write(entries(1))
    Writer(engine).write(entries(1))
    with engine.connect() as connection:
        links = connection.execute(select(journal_batches).order_by(journal_batches.c.id)).all()
        sealed = connection.execute(select(func.count(requests.c.batch_id.distinct()))).scalar_one()
    assert [link.sequence for link in links] == [0, 1, 0]
    assert [link.previous for link in links] == [bytes(32), links[0].digest, links[1].digest]
    assert links[0].chain == links[1].chain != links[2].chain
    assert [len(link.leaves) for link in links] == [2 * 5 * 32, 5 * 32, 5 * 32]
    assert sealed == 3


def test_a_writer_that_failed_begins_a_new_chain(engine: Engine) -> None:
    writer, one = Writer(engine), entries(1)
    writer.write(one)
    with pytest.raises(DatabaseError):
        writer.write(one)
    writer.write(entries(1))
    with engine.connect() as connection:
        first, second = connection.execute(select(journal_batches).order_by(journal_batches.c.id)).all()
    assert first.chain != second.chain
    assert second.previous == first.digest


def test_writing_goes_on_after_the_database_has_cut_every_connection(postgresql: str) -> None:
    with postgres.database(postgresql) as url, opened(url) as engine, opened(postgresql) as admin:
        schema.upgrade(engine)
        writer = Writer(engine)
        for _ in range(2):
            writer.write(entries(1))
        with admin.connect() as connection:
            cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :name"
            assert connection.execute(text(cut), {"name": engine.url.database}).scalar_one() >= 1
        with pytest.raises(DatabaseError):
            writer.write(entries(1))
        writer.write(entries(1))
        assert count(engine)["api_responses"] == 3
        writer.close()


def test_a_write_is_one_statement_to_postgresql(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgres.database(postgresql) as url, opened(url) as engine:
        schema.upgrade(engine)
        writer, statements = Writer(engine), list[str]()
        for _ in range(2):  # the first begins the chain, the second connects
            writer.write(entries(1))
        execute = Cursor.execute

        def seen(cursor: Cursor, statement: str, parameters: object = None) -> None:
            statements.append(statement)
            execute(cursor, statement, parameters)

        monkeypatch.setattr(Cursor, "execute", seen)
        writer.write(entries(20))
        assert len(statements) == 1
        writer.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40))
def test_any_text_comes_back_as_it_was(engine: Engine, found: str) -> None:
    one = scored(employee_id=found)
    Writer(engine).write([entry_of(make_call(one))])
    with engine.connect() as connection:
        row = connection.execute(select(employee_inputs).where(employee_inputs.c.id == one.id)).one()
    assert (row.employee_id, row.record["employee_id"]) == (found, found)


def test_a_text_that_the_database_cannot_keep_is_refused(postgresql: str) -> None:
    with postgres.database(postgresql) as url, opened(url) as engine:
        schema.upgrade(engine)
        with pytest.raises(DatabaseError, match="refuses what it was told"):
            Writer(engine).write([entry_of(make_call(scored(employee_id="nul\x00")))])
        assert set(count(engine).values()) == {0}


def test_an_entry_is_the_same_after_the_spool() -> None:
    entry = entry_of(make_call(scored(1), scored(2)))
    assert load(entry.dump()) == entry


@pytest.mark.parametrize(
    "line",
    [b"", b"5", b"{}", b"[]", b"[[],[],[],[],[]]", b"[1,2,3,4,5]", b"nothing", b"[[{}],[],[],[],[[1]]]"],
)
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(line)


def test_a_pseudonym_takes_the_place_of_the_employee_everywhere() -> None:
    entry = entry_of(make_call(scored("Zoe-4711")), str.lower)
    assert b"Zoe-4711" not in entry.dump()
    assert entry.dump().count(b"zoe-4711") == 2


def test_keys_sort_by_the_time_they_were_made() -> None:
    keys = [new_id() for _ in range(1000)]
    assert keys == sorted(keys)
    assert {key.version for key in keys} == {7}


def test_moments_come_back_in_utc_and_a_naive_one_is_refused(engine: Engine) -> None:
    call = make_call()
    call.received_at = NOON.astimezone(timezone(timedelta(hours=2)))
    Writer(engine).write([entry_of(call)])
    call.received_at = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="without a time zone"):
        entry_of(call)
    with engine.begin() as connection:
        found = connection.execute(select(requests.c.received_at)).scalar_one()
        assert (found, found.utcoffset()) == (NOON, timedelta(0))
        row = {
            "request_id": new_id(),
            "answered_at": NOON.replace(tzinfo=None),
            "status": 200,
            "duration_ms": 1,
        }
        with pytest.raises(StatementError, match="without a time zone"):
            connection.execute(insert(api_responses), row)
