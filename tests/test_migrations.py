import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event, inspect, select, update
from sqlalchemy.exc import ProgrammingError

from churn.database import locks, partitions, schema, tables
from churn.database.engine import make_engine, opened
from churn.database.migrations import carry0002
from harness.servers import environment
from tests.support import journal0001
from tests.support.journal0001 import NOVEMBER

MOMENTS = [NOVEMBER + timedelta(days=20 * number) for number in range(10)]


@pytest.fixture
def old(database_url: str) -> Iterator[Engine]:
    """Return an engine on a new database at revision 0001."""
    with opened(database_url) as engine:
        schema.upgrade(engine, "0001")
        yield engine


@pytest.fixture
def old_postgresql(empty_postgresql: str) -> Iterator[Engine]:
    with opened(empty_postgresql) as engine:
        schema.upgrade(engine, "0001")
        yield engine


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    carry = carry0002.carry_chunk
    monkeypatch.setattr(carry0002, "carry_chunk", lambda connection, _: carry(connection, 3))


def contents(engine: Engine) -> dict[str, Any]:
    """Return what the new journal holds, in the form of `journal0001.contents`."""
    with engine.connect() as connection:

        def rows(table: sa.Table) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

        found = {table.name: rows(table) for table in tables.JOURNAL}
    for row in itertools.chain(*found.values()):
        assert row.pop("salt", None) is None
        assert row.pop("batch_id", None) is None
        assert row.pop("times", 1) == 1
    models = {row["request_id"]: row["model"] for row in found["prediction_results"]}
    for row in found["requests"]:
        assert row.pop("model") == models.get(row["id"])
    for row in found["prediction_results"]:
        assert row.pop("caller_name") == "zoé"
    for name in ("employee_inputs", "features"):
        found[name] = [{**row, "prediction": row["id"]} for row in found[name]]
        for row in found[name]:
            del row["id"]
    return {name: sorted(of, key=key) for name, of in found.items()}


def key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in ("id", "prediction", "request_id"))


def as_plain(found: dict[str, Any]) -> dict[str, Any]:
    """Return contents with moments that compare across databases."""
    return {
        name: sorted(({k: _aware(v) for k, v in row.items()} for row in rows), key=key)
        for name, rows in found.items()
    }


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


def test_the_data_goes_up_and_down_and_up_again(old: Engine) -> None:
    calls = journal0001.log_many(old, MOMENTS)
    before = as_plain(journal0001.contents(old))
    assert len(before["requests"]) == 10
    assert len(before["features"]) == len(before["prediction_results"]) == 13
    schema.upgrade(old)
    assert as_plain(contents(old)) == before
    with old.connect() as connection:
        known = set(connection.execute(select(tables.prediction_results.c.id)).scalars())
    assert known == {prediction for call in calls for prediction in call.predictions}
    schema.downgrade(old, "0001")
    assert as_plain(journal0001.contents(old)) == before
    schema.upgrade(old)
    assert as_plain(contents(old)) == before


def test_what_was_erased_is_erased_after_a_way_down_and_up(old: Engine) -> None:
    journal0001.log_many(old, MOMENTS)
    schema.upgrade(old)
    erased: dict[sa.Table, dict[str, Any]] = {
        tables.employee_inputs: {"employee_id": None, "record": sa.null()},
        tables.features: {"values": sa.null(), "contributions": sa.null()},
        tables.prediction_results: {"prediction": None, "probability": None},
        tables.api_responses: {"body": sa.null()},
    }
    with old.begin() as connection:
        for table, values in erased.items():
            connection.execute(update(table).values(values))
    schema.downgrade(old, "0001")
    schema.upgrade(old)
    with old.connect() as connection:
        for table, values in erased.items():
            columns = [table.c[name].is_(None) for name in values]
            assert set(connection.execute(select(*columns))) == {(True,) * len(values)}


def test_interrupted_at_any_statement_it_goes_on(old: Engine, small_chunks: None) -> None:
    journal0001.log_many(old, [datetime.now(UTC)] * 10)
    before = as_plain(journal0001.contents(old))
    left = -1
    reached = "0001"

    def interrupt(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise InterruptedError

    event.listen(old, "before_cursor_execute", interrupt)
    for number in itertools.count(1):
        left = number
        try:
            schema.upgrade(old)
            break
        except InterruptedError:
            left = -1
            now = schema.current(old)
            assert now is not None
            assert reached <= now < schema.head()
            reached = now
    event.remove(old, "before_cursor_execute", interrupt)
    assert number > 40
    assert as_plain(contents(old)) == before
    assert not {name for name in inspect(old).get_table_names() if "_0002" in name or "_0001" in name}


def test_old_months_get_partitions_and_nothing_lies_beside_them(old_postgresql: Engine) -> None:
    journal0001.log_many(old_postgresql, MOMENTS)
    schema.upgrade(old_postgresql)
    found = partitions.listing(old_postgresql)
    assert [str(month) for month in found.months][:3] == ["2025-11", "2025-12", "2026-01"]
    assert found.default_rows == {}


class Service:
    """A service of before, that logs calls until its tables are gone; its statements wait 3 s for no lock."""

    def __init__(self, url: str) -> None:
        self.logged: list[journal0001.Call] = []
        self.turn = threading.Condition()
        self.failure: BaseException | None = None
        self._url = sa.make_url(url).update_query_dict({"options": "-c lock_timeout=3s"})
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in (self._log, self._read)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        assert isinstance(self.failure, ProgrammingError), self.failure

    def await_calls(self, number: int) -> None:
        with self.turn:
            wanted = len(self.logged) + number
            assert self.turn.wait_for(lambda: len(self.logged) >= wanted or self.failure, 60)

    def _run(self, work: Any) -> None:
        engine = make_engine(self._url.render_as_string(hide_password=False))
        try:
            while self.failure is None:
                work(engine)
        except Exception as error:  # noqa: BLE001 - judged at the end
            with self.turn:
                if not isinstance(self.failure, ProgrammingError):
                    self.failure = error
                self.turn.notify_all()
        finally:
            engine.dispose()

    def _log(self, engine: Engine) -> None:
        with engine.begin() as connection:
            call = journal0001.log(connection, NOVEMBER + timedelta(seconds=len(self.logged)), 2)
        with self.turn:
            self.logged.append(call)
            self.turn.notify_all()

    def _read(self, engine: Engine) -> None:
        with engine.connect() as connection:
            connection.execute(select(journal0001.requests).limit(5)).all()
            connection.execute(select(sa.func.count(journal0001.features.c.input_id))).all()


def test_a_service_goes_on_logging_while_it_runs(
    old_postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal0001.log_many(old_postgresql, MOMENTS)
    service = Service(old_postgresql.url.render_as_string(hide_password=False))
    carry = carry0002.carry_chunk

    def carry_while_calls_come(connection: sa.Connection, _: int) -> bool:
        service.await_calls(3)
        # Three by three to where calls are logged now; they come faster, so the rest in one go.
        return carry(connection, 3 if len(service.logged) < 30 else 1000) and len(service.logged) < 60

    monkeypatch.setattr(carry0002, "carry_chunk", carry_while_calls_come)
    service.start()
    service.await_calls(3)
    schema.upgrade(old_postgresql)
    service.end()
    with old_postgresql.connect() as connection:
        for column in (tables.requests.c.id, tables.api_responses.c.request_id):
            there = connection.execute(select(column)).scalars().all()
            assert {call.id for call in service.logged} <= set(there)
            assert len(there) == len(set(there)) == len(service.logged) + len(MOMENTS)
        predictions = {one for call in service.logged for one in call.predictions}
        for table in (tables.employee_inputs, tables.features, tables.prediction_results):
            there = connection.execute(select(table.c.id)).scalars().all()
            assert predictions <= set(there)
            assert len(there) == len(predictions) + 13


def test_it_gives_way_to_a_call_that_holds_a_table(
    old_postgresql: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = threading.Event()
    monkeypatch.setattr(locks, "time", type("Time", (), {"sleep": staticmethod(lambda _: waited.set())}))
    migration = threading.Thread(target=schema.upgrade, args=(old_postgresql,))
    with opened(old_postgresql.url.render_as_string(hide_password=False)) as engine:
        with engine.begin() as connection:
            first = journal0001.log(connection, NOVEMBER)
            migration.start()
            assert waited.wait(60)
            with engine.begin() as other:  # queues behind the migration's lock, and is let through
                second = journal0001.log(other, NOVEMBER)
        migration.join(60)
        assert not migration.is_alive()
        with engine.connect() as connection:
            assert set(connection.execute(select(tables.requests.c.id)).scalars()) == {first.id, second.id}


def test_of_two_that_start_it_at_once_one_migrates(old: Engine) -> None:
    journal0001.log_many(old, MOMENTS)
    before = as_plain(journal0001.contents(old))
    env = environment(DATABASE_URL=old.url.render_as_string(hide_password=False))
    command = [sys.executable, "-m", "churn.cli.main", "db", "upgrade"]
    starters = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [starter.communicate(timeout=60)[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0]
    assert all(b"(head)" in output for output in outputs)
    assert as_plain(contents(old)) == before


def test_who_could_read_and_write_still_can(old_postgresql: Engine) -> None:
    role = f"clerk_{old_postgresql.url.database}"
    with old_postgresql.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role}")
        connection.exec_driver_sql(f"GRANT SELECT, INSERT ON requests, api_responses TO {role}")
    schema.upgrade(old_postgresql)
    with old_postgresql.begin() as connection:
        allowed = "SELECT has_table_privilege('{}', '{}', 'INSERT')"
        for table, expected in (
            ("requests", True),
            ("journal_batches", True),
            ("api_responses", True),
            ("features", False),
        ):
            assert connection.exec_driver_sql(allowed.format(role, table)).scalar() is expected
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")
