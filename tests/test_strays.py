from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, delete, event, select, update

from churn.database import partitions, schema, strays, tables
from churn.database.engine import opened
from churn.database.months import Month
from tests.support.monthly import NOW, day, keys, log, months, remove_months


@pytest.fixture
def postgres_engine(empty_postgresql: str) -> Iterator[Engine]:
    with opened(empty_postgresql) as engine:
        schema.upgrade(engine)
        yield engine


def test_rows_of_the_default_partition_are_moved_to_their_months(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "CHUNK", 7)
    remove_months(postgres_engine, NOW)
    with postgres_engine.begin() as connection:
        moments = [day(NOW.next), day(NOW.next.next), day(Month(2019, 3)), day(Month(2099, 1))]
        logged = {log(connection, moment, 2) for moment in moments for _ in range(10)}
    assert partitions.listing(postgres_engine).strays["features"] == 80
    partitions.ensure(postgres_engine)
    assert keys(postgres_engine, tables.requests) == logged == keys(postgres_engine, tables.api_responses)
    assert len(keys(postgres_engine, tables.prediction_results)) == 80
    assert months(postgres_engine) == [Month(2019, 3), *NOW.through(3)]
    # Of a time to come that no month is made for: they stay.
    assert partitions.listing(postgres_engine).strays == {
        "requests": 10, "employee_inputs": 20, "features": 20, "prediction_results": 20, "api_responses": 10
    }  # fmt: skip
    with postgres_engine.begin() as connection:  # as before, from the next row on
        log(connection, day(NOW.next))
        log(connection, day(Month(2099, 2)))
    assert partitions.listing(postgres_engine).strays["features"] == 21
    partitions.ensure(postgres_engine)
    assert len(keys(postgres_engine, tables.requests)) == 42


def test_what_is_written_changed_and_erased_while_rows_move_is_so_afterwards(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "CHUNK", 4)
    remove_months(postgres_engine, NOW)
    later = day(NOW.next)
    with postgres_engine.begin() as connection:
        for _ in range(12):
            log(connection, later)
    known = sorted(keys(postgres_engine, tables.employee_inputs))
    inputs, added = tables.employee_inputs, []
    url = postgres_engine.url.render_as_string(hide_password=False)
    copied = 0

    def meanwhile(_: Connection, __: object, statement: str, *rest: object) -> None:
        nonlocal copied
        if not statement.startswith("\nINSERT INTO employee_inputs_next"):
            return
        copied += 1
        if copied == 2:  # the first four are copied, the last four not yet
            with opened(url) as other, other.begin() as c:
                for one in (known[1], known[9]):
                    c.execute(update(inputs).where(inputs.c.id == one).values(record=sa.null()))
                for one in (known[2], known[10]):
                    c.execute(delete(inputs).where(inputs.c.id == one))
                for moment in (day(NOW.next, 1), day(NOW.next, 28)):
                    added.append(log(c, moment))

    event.listen(postgres_engine, "before_cursor_execute", meanwhile)
    partitions.ensure(postgres_engine)
    with postgres_engine.connect() as connection:
        erased = connection.execute(select(inputs.c.id).where(inputs.c.record.is_(None))).scalars().all()
        new = connection.execute(select(inputs.c.id).where(inputs.c.request_id.in_(added))).scalars().all()
    assert set(erased) == {known[1], known[9]}
    assert keys(postgres_engine, inputs) == {*known, *new} - {known[2], known[10]}
    assert len(new) == 2
    assert partitions.listing(postgres_engine).strays == {}


def test_interrupted_at_any_statement_nothing_is_lost_and_it_is_begun_again(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "KEYS", {"requests": "id"})
    monkeypatch.setattr(strays, "CHUNK", 4)
    remove_months(postgres_engine, NOW)
    with postgres_engine.begin() as connection:
        logged = {log(connection, day(NOW.next)) for _ in range(10)}
    left = number = 0

    def interrupt(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise InterruptedError

    event.listen(postgres_engine, "before_cursor_execute", interrupt)
    while True:
        number += 1
        left = number
        try:
            partitions.ensure(postgres_engine)
            break
        except InterruptedError:
            left = 0
            assert keys(postgres_engine, tables.requests) == logged
    event.remove(postgres_engine, "before_cursor_execute", interrupt)
    assert number > 30
    assert keys(postgres_engine, tables.requests) == logged
    assert partitions.listing(postgres_engine).strays == {}
    with postgres_engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_trigger").scalar() == 0
        assert (
            connection.exec_driver_sql("SELECT count(*) FROM pg_class WHERE relname ~ '_next$'").scalar() == 0
        )
