import logging
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event, insert

from churn.core.errors import DatabaseError
from churn.database import locks, partitions, schema, tables
from churn.database.engine import make_engine, opened
from churn.database.months import Month, bound
from churn.records.integrity import verify
from churn.records.privacy import purge
from tests.support.journal0001 import id_at
from tests.support.monthly import NOW, day, keys, log, months, remove_months


@pytest.fixture
def postgres_engine(empty_postgresql: str) -> Iterator[Engine]:
    with opened(empty_postgresql) as engine:
        schema.upgrade(engine)
        yield engine


def test_a_month_goes_from_its_first_millisecond_to_the_next_ones() -> None:
    december = Month(2026, 12)
    assert december.next == Month(2027, 1)
    first = datetime(2026, 12, 1, tzinfo=UTC)
    assert december.lower == bound(first) == uuid.UUID(int=1_796_083_200_000 << 80)
    assert december.lower < id_at(first) < december.upper
    assert id_at(first - timedelta(milliseconds=1)) < december.lower
    assert Month.of_id(id_at(first)) == december
    assert str(december) == "2026-12"


def test_the_schema_comes_with_this_month_and_the_next_three(postgres_engine: Engine) -> None:
    assert months(postgres_engine) == NOW.through(3)


def test_every_row_goes_to_its_month(postgres_engine: Engine) -> None:
    with postgres_engine.begin() as connection:
        request = log(connection, day(NOW))
        for table in tables.JOURNAL:
            count = sa.select(sa.func.count()).select_from(sa.table(NOW.partition(table.name)))
            assert connection.execute(count).scalar() == 1, table
    assert keys(postgres_engine, tables.requests) == {request}
    assert partitions.listing(postgres_engine).default_rows == {}


def test_missing_months_are_made_once(postgres_engine: Engine) -> None:
    partitions.ensure(postgres_engine, ahead=5)
    assert months(postgres_engine) == NOW.through(5)
    statements: list[str] = []
    event.listen(postgres_engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    partitions.ensure(postgres_engine, ahead=5)
    assert not [one for one in statements if not one.lstrip().startswith(("SELECT", "SHOW", "SET LOCAL"))]


def test_several_processes_may_make_them_at_once(postgres_engine: Engine) -> None:
    remove_months(postgres_engine, NOW)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            partitions.ensure(postgres_engine, ahead=4)
        except BaseException as error:  # noqa: BLE001 - judged at the end
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert months(postgres_engine) == NOW.through(4)


def test_a_month_is_made_in_all_tables_or_in_none(postgres_engine: Engine) -> None:
    remove_months(postgres_engine, NOW)

    def interrupt(*event_arguments: object) -> None:
        if str(event_arguments[2]).startswith("ALTER TABLE features ATTACH"):
            raise InterruptedError

    event.listen(postgres_engine, "before_cursor_execute", interrupt)
    with pytest.raises(InterruptedError):
        partitions.ensure(postgres_engine)
    event.remove(postgres_engine, "before_cursor_execute", interrupt)
    with postgres_engine.connect() as connection:
        assert {len(partitions.partitions(connection, table)) for table in partitions.KEYS} == {1}
    partitions.ensure(postgres_engine)
    assert months(postgres_engine) == NOW.through(3)


class TestDefaultPartition:
    def test_a_month_that_has_rows_there_stays_and_is_logged(
        self, postgres_engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        remove_months(postgres_engine, NOW)
        with postgres_engine.begin() as connection:
            logged = {log(connection, day(NOW.next), 2) for _ in range(3)}
        with caplog.at_level(logging.WARNING, "churn"):
            partitions.ensure(postgres_engine)
        [record] = caplog.records
        assert f"the month {NOW.next} gets no partitions" in record.message
        others = [month for month in NOW.through(3) if month != NOW.next]
        assert months(postgres_engine) == others
        with postgres_engine.begin() as connection:  # a call of that month is still kept
            logged.add(log(connection, day(NOW.next, 20), 2))
        assert keys(postgres_engine, tables.requests) == logged == keys(postgres_engine, tables.api_responses)
        assert partitions.listing(postgres_engine).default_rows["features"] == 8

    def test_so_does_one_whose_first_row_comes_while_it_is_made(
        self, postgres_engine: Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        remove_months(postgres_engine, NOW)
        logged: list[uuid.UUID] = []

        url = postgres_engine.url.render_as_string(hide_password=False)

        def meanwhile(*event_arguments: object) -> None:
            if str(event_arguments[2]).startswith("ALTER TABLE requests ATTACH") and not logged:
                with opened(url) as other, other.begin() as connection:
                    logged.append(log(connection, day(NOW.next)))

        event.listen(postgres_engine, "before_cursor_execute", meanwhile)
        with caplog.at_level(logging.WARNING, "churn"):
            partitions.ensure(postgres_engine)
        assert [
            f"the month {NOW.next} gets no partitions" in record.message for record in caplog.records
        ] == [True]
        assert months(postgres_engine) == [month for month in NOW.through(3) if month != NOW.next]
        assert keys(postgres_engine, tables.requests) == set(logged)

    def test_a_purge_removes_its_rows_and_those_of_a_month_that_some_tables_lack(
        self, postgres_engine: Engine
    ) -> None:
        whole, half, young = Month(2019, 3), Month(2019, 5), Month(2019, 7)
        with postgres_engine.begin() as connection:
            name = half.partition("requests")
            connection.exec_driver_sql(f"CREATE TABLE {name} PARTITION OF requests {half.bounds}")
            kept = [log(connection, day(month), 2) for month in (whole, half, young)][-1]
        purge(postgres_engine, day(young, 1))
        for table in (tables.requests, tables.api_responses):
            old = {key for key in keys(postgres_engine, table) if key < NOW.lower}
            assert old == {kept}
        for table in (tables.employee_inputs, tables.features, tables.prediction_results):
            assert len(keys(postgres_engine, table)) == 2
        assert verify(postgres_engine).findings == []


def test_a_role_that_may_not_make_them_is_warned_once_and_goes_on(
    postgres_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"clerk_{postgres_engine.url.database}"
    with postgres_engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        connection.exec_driver_sql(f"GRANT SELECT, INSERT ON {', '.join(partitions.KEYS)} TO {role}")
        connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    clerk = make_engine(postgres_engine.url.set(username=role).render_as_string(hide_password=False))
    partitions.ensure(clerk)
    assert caplog.records == []  # nothing is missing
    remove_months(postgres_engine, NOW)
    with caplog.at_level(logging.WARNING, "churn"):
        partitions.ensure(clerk)
    assert [record.message for record in caplog.records] == [
        "this role may not make partitions, so rows go to the default one: "
        "run `churn db upgrade` once a month as the owner of the tables"
    ]
    with pytest.raises(DatabaseError, match="does not let the role of DATABASE_URL do that"):
        partitions.drop_before(clerk, day(NOW.next.next))
    with clerk.begin() as connection:
        log(connection, day(NOW.next))
    clerk.dispose()
    assert partitions.listing(postgres_engine).default_rows["requests"] == 1
    with postgres_engine.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {role}")
        connection.exec_driver_sql(f"DROP ROLE {role}")


def test_whole_months_before_a_moment_are_dropped(postgres_engine: Engine) -> None:
    after = NOW.next.next
    border = datetime(after.year, after.month, 1, tzinfo=UTC)
    with postgres_engine.begin() as connection:
        log(connection, day(NOW))
        request = log(connection, border - timedelta(milliseconds=1), 0)
        late = {"id": id_at(border), "request_id": request}  # its request is of the month before
        connection.execute(insert(tables.employee_inputs), {**late, "position": 0})
        connection.execute(insert(tables.features), {"id": late["id"], "base_value": 0.5})
        connection.execute(insert(tables.prediction_results), {**late, "model": "churn:a", "threshold": 0.3})
        kept = log(connection, border)
        for reviewing in (request, kept):
            row = {"request_id": reviewing, "prediction_id": late["id"], "comment": "x"}
            connection.execute(insert(tables.reviews), row)
        old = log(connection, day(Month(2019, 3)))
    assert partitions.drop_before(postgres_engine, day(NOW.next, 28)) == [
        NOW.partition(table) for table in partitions.KEYS
    ]
    assert len(partitions.drop_before(postgres_engine, border + timedelta(days=1))) == len(partitions.KEYS)
    assert months(postgres_engine) == [after, after.next]
    # What lies in the default partition is no whole month's.
    assert (
        keys(postgres_engine, tables.requests) == {kept, old} == keys(postgres_engine, tables.api_responses)
    )
    for table in (tables.employee_inputs, tables.features, tables.prediction_results):
        assert len(keys(postgres_engine, table)) == 2
        assert late["id"] not in keys(postgres_engine, table)
    assert keys(postgres_engine, tables.reviews) == {kept}  # what it says is emptied by the purge


def test_a_month_in_use_is_dropped_once_it_is_free(
    postgres_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = threading.Event()
    monkeypatch.setattr(locks, "time", type("Time", (), {"sleep": staticmethod(lambda _: waited.set())}))
    purge = threading.Thread(target=partitions.drop_before, args=(postgres_engine, day(NOW.next)))
    with opened(postgres_engine.url.render_as_string(hide_password=False)) as engine:
        with engine.begin() as connection:
            log(connection, day(NOW))
            purge.start()
            assert waited.wait(60)
            with engine.begin() as other:  # queues behind the purge's lock, and is let through
                kept = log(other, day(NOW.next))
        purge.join(60)
    assert not purge.is_alive()
    assert keys(postgres_engine, tables.requests) == {kept}


def test_a_look_up_reads_one_partition_and_the_newest_come_without_sorting(postgres_engine: Engine) -> None:
    with postgres_engine.begin() as connection:
        for month in NOW.through(3):
            log(connection, day(month), 20)
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # so few rows would else be scanned

        def plan(condition: str) -> str:
            query = "EXPLAIN (COSTS OFF) SELECT * FROM prediction_results "
            return "\n".join(connection.exec_driver_sql(query + condition).scalars())

        one = plan(f"WHERE id = '{id_at(day(NOW))}'")
        assert one.count("Scan") == 1, one
        newest = plan("ORDER BY id DESC LIMIT 50")
        assert "Sort\n" not in newest, newest
        assert newest.count("Index Scan Backward") == 5, newest
        page = plan(f"WHERE id < '{NOW.next.lower}' AND id >= '{NOW.lower}' ORDER BY id DESC LIMIT 50")
        assert page.count("Scan") == 1, page
        assert "Sort" not in page, page


def test_sqlite_has_no_partitions(tmp_path: object) -> None:
    with opened(f"sqlite:///{tmp_path}/churn.db") as engine:
        schema.upgrade(engine)
        partitions.ensure(engine)
        assert partitions.drop_before(engine, datetime.now(UTC)) == []
        assert partitions.listing(engine) == partitions.Listing((), {})
