"""The journal: many calls share a commit, nobody blocks, and the database may be away."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, event, func, make_url, select
from sqlalchemy.exc import OperationalError

from churn.core.errors import ChurnError, DatabaseError, JournalFullError, SpoolError
from churn.database.engine import make_engine, opened
from churn.database.tables import journal_batches, requests
from churn.journal import journal as journals
from churn.journal import store as stores
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.flood_counter import STORED
from churn.journal.journal import Journal
from churn.journal.spool import Spool
from churn.journal.store import Store
from churn.journal.writer import Writer, probe
from churn.schemas.caller import Caller
from harness import postgres
from tests.support.calls import count, make_call, scored

PATIENCE = 30.0  # seconds that something may take on a busy machine


class Switch:
    """A database that a test can turn off: an engine of its own, and the probe of it."""

    def __init__(self, url: URL) -> None:
        self.engine = make_engine(url.render_as_string(hide_password=False))
        self.is_on = True

    def writer(self) -> Writer:
        """Return a writer to it."""
        return _Switched(self)

    def __call__(self) -> None:
        if not self.is_on:
            raise DatabaseError("switched off")
        probe(self.engine)


class _Switched(Writer):
    def __init__(self, switch: Switch) -> None:
        super().__init__(switch.engine)
        self._switch = switch

    def write(self, *arguments: Any, **options: Any) -> None:
        """Write, where the database is on."""
        if not self._switch.is_on:
            raise DatabaseError("off") from OperationalError("begin", None, Exception("switched off"))
        super().write(*arguments, **options)


@pytest.fixture
def switch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switch]:
    monkeypatch.setattr(stores, "RETRY", 0.01)
    monkeypatch.setattr(journals, "PAUSE", 0.01)
    made = Switch(engine.url)
    yield made
    made.engine.dispose()


@pytest.fixture
def slow(postgresql: str, postgresql_at_head: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switch]:
    """Return a PostgreSQL whose statements may take half a second, and an employee's row 5 ms.

    It takes no row of the employee `never`.
    """
    monkeypatch.setattr(stores, "RETRY", 0.01)
    with postgres.database(postgresql, postgresql_at_head) as url:
        with opened(url) as engine, engine.begin() as connection:
            connection.exec_driver_sql(SLOW)
        options = make_url(url).update_query_dict({"options": "-c statement_timeout=500ms"})
        made = Switch(options)
        yield made
        made.engine.dispose()


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  PERFORM pg_sleep(0.005);
  IF NEW.employee_id = 'never' THEN RAISE EXCEPTION 'never'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER slow BEFORE INSERT ON employee_inputs FOR EACH ROW EXECUTE FUNCTION slow()
"""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", 10 * 1024**2)
    yield made
    made.close()


def run(journal: Journal, work: Callable[[], Any]) -> Any:
    """Start a journal, do some work with it on an event loop, and close it."""

    async def main() -> Any:
        journal.start()
        try:
            return await work()
        finally:
            journal.close()

    return asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    """Let other threads go on until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.005)


async def all_of(journal: Journal, calls: list[Call]) -> list[BaseException | None]:
    return await asyncio.gather(*(journal.record(one) for one in calls), return_exceptions=True)


def several(number: int) -> list[Call]:
    return [make_call(scored()) for _ in range(number)]


class TestGroupCommit:
    def test_what_is_recorded_is_committed_when_it_returns(self, engine: Engine, switch: Switch) -> None:
        journal = Journal(Store(switch.writer(), switch, None))

        async def work() -> None:
            await journal.record(make_call(scored()))
            assert set(count(engine).values()) == {1}

        run(journal, work)

    def test_calls_that_come_together_share_commits(self, engine: Engine, switch: Switch) -> None:
        journal = Journal(Store(switch.writer(), switch, None))
        assert run(journal, lambda: all_of(journal, several(200))) == [None] * 200
        with engine.connect() as connection:
            batches = connection.execute(select(func.count()).select_from(journal_batches)).scalar_one()
        assert set(count(engine).values()) == {200}
        assert batches <= 20

    def test_the_event_loop_goes_on_while_the_database_is_slow(self, engine: Engine, switch: Switch) -> None:
        journal = Journal(Store(switch.writer(), switch, None))
        asked, go_on = threading.Event(), threading.Event()

        def slow(*_: object) -> None:
            asked.set()
            assert go_on.wait(PATIENCE)

        async def work() -> None:
            event.listen(switch.engine, "before_cursor_execute", slow, once=True)
            recording = asyncio.create_task(journal.record(make_call(scored())))
            await until(asked.is_set)  # the loop runs, and the database keeps the journal waiting
            assert not recording.done()
            go_on.set()
            await recording

        run(journal, work)

    def test_a_full_queue_asks_to_come_again(
        self, engine: Engine, switch: Switch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journals, "CAPACITY", 20)
        journal = Journal(Store(switch.writer(), switch, None))
        outcomes = run(journal, lambda: all_of(journal, several(30)))
        assert outcomes[:10] == [None] * 10  # of two rows each
        assert {type(one) for one in outcomes[10:]} == {JournalFullError}
        assert count(engine)["requests"] == 10

    def test_a_call_larger_than_the_queue_is_taken_by_an_idle_journal(
        self, engine: Engine, switch: Switch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journals, "CAPACITY", 20)
        journal = Journal(Store(switch.writer(), switch, None))
        large = make_call(*[scored() for _ in range(100)])
        assert run(journal, lambda: all_of(journal, [large])) == [None]
        assert count(engine)["features"] == 100

    def test_one_that_the_database_refuses_fails_alone(
        self, engine: Engine, switch: Switch, spool: Spool
    ) -> None:
        one = scored()
        switch.writer().write([entry_of(make_call(one))])
        journal = Journal(Store(switch.writer(), switch, spool))
        outcomes = run(journal, lambda: all_of(journal, [*several(5), make_call(one), *several(5)]))
        assert [type(one) for one in outcomes if one] == [DatabaseError]
        assert isinstance(outcomes[5], DatabaseError)
        assert count(engine)["requests"] == 11
        assert not spool.pending

    def test_who_goes_away_does_not_disturb_the_others(self, engine: Engine, switch: Switch) -> None:
        journal = Journal(Store(switch.writer(), switch, None))

        async def work() -> None:
            leaving = asyncio.create_task(journal.record(make_call(scored())))
            staying = asyncio.create_task(journal.record(make_call(scored())))
            await asyncio.sleep(0)
            leaving.cancel()
            await staying

        run(journal, work)
        assert count(engine)["requests"] == 2

    def test_closing_writes_what_waits(self, engine: Engine, switch: Switch) -> None:
        journal = Journal(Store(switch.writer(), switch, None))

        async def work() -> asyncio.Task[None]:
            recording = asyncio.create_task(journal.record(make_call(scored())))
            await asyncio.sleep(0)
            return recording

        run(journal, work)
        assert count(engine)["requests"] == 1


class TestOutage:
    def test_without_a_spool_nothing_is_recorded_until_it_is_back(
        self, engine: Engine, switch: Switch
    ) -> None:
        store = Store(switch.writer(), switch, None)
        journal = Journal(store)

        async def work() -> None:
            switch.is_on = False
            with pytest.raises(DatabaseError):
                await journal.record(make_call(scored()))
            with pytest.raises(DatabaseError):
                journal.check()
            switch.is_on = True
            await until(lambda: store.away is None)
            await journal.record(make_call(scored()))
            assert not journal.check().database_away

        run(journal, work)
        assert count(engine)["requests"] == 1

    def test_with_a_spool_calls_go_on_and_are_put_back_in_order(
        self, engine: Engine, switch: Switch, spool: Spool
    ) -> None:
        journal = Journal(Store(switch.writer(), switch, spool))
        calls = several(60)

        async def work() -> None:
            await all_of(journal, calls[:20])
            switch.is_on = False
            assert await all_of(journal, calls[20:40]) == [None] * 20
            state = journal.check()
            assert state.database_away
            assert state.spool is not None
            assert state.spool.records == 20
            assert count(engine)["requests"] == 20
            switch.is_on = True
            assert await all_of(journal, calls[40:]) == [None] * 20
            await until(lambda: not spool.pending)

        run(journal, work)
        assert set(count(engine).values()) == {60}
        with engine.connect() as connection:
            query = select(requests.c.id).join(journal_batches, journal_batches.c.id == requests.c.batch_id)
            found = list(connection.execute(query.order_by(journal_batches.c.id, requests.c.id)).scalars())
        assert found == [one.id for one in calls]

    def test_away_at_the_start_is_said_and_spooled(
        self, engine: Engine, switch: Switch, spool: Spool, caplog: pytest.LogCaptureFixture
    ) -> None:
        switch.is_on = False
        journal = Journal(Store(switch.writer(), switch, spool))
        with caplog.at_level(logging.ERROR, "churn"):
            assert run(journal, lambda: all_of(journal, several(3))) == [None] * 3
        assert "switched off; until then the journal goes to the spool" in caplog.text
        assert spool.state().records == 3
        switch.is_on = True
        journal = Journal(Store(switch.writer(), switch, spool))
        run(journal, lambda: until(lambda: not spool.pending))
        assert set(count(engine).values()) == {3}

    def test_a_commit_whose_outcome_is_unknown_is_there_once(
        self, engine: Engine, switch: Switch, spool: Spool
    ) -> None:
        writer = switch.writer()
        write = writer.write

        def lose_the_connection(*arguments: Any, **named: Any) -> None:
            write(*arguments, **named)
            writer.write = write  # type: ignore[method-assign]
            raise DatabaseError("lost") from OperationalError("commit", None, Exception("lost"))

        writer.write = lose_the_connection  # type: ignore[method-assign]
        journal = Journal(Store(writer, switch, spool))

        async def work() -> None:
            assert await all_of(journal, several(4)) == [None] * 4
            await until(lambda: not spool.pending)

        run(journal, work)
        assert set(count(engine).values()) == {4}

    def test_a_spooled_entry_that_the_database_refuses_is_set_aside_and_the_rest_replayed(
        self, engine: Engine, switch: Switch, spool: Spool, caplog: pytest.LogCaptureFixture
    ) -> None:
        one = scored()
        switch.writer().write([entry_of(make_call(one))])
        switch.is_on = False
        journal = Journal(Store(switch.writer(), switch, spool))

        async def work() -> None:
            assert await all_of(journal, [*several(2), make_call(one), *several(2)]) == [None] * 5
            switch.is_on = True
            await until(lambda: not spool.pending)

        run(journal, work)
        assert count(engine)["requests"] == 5
        assert spool.state().set_aside == 1
        assert "refuses" in caplog.text

    def test_a_large_call_that_takes_longer_than_a_statement_may_is_put_back(
        self, slow: Switch, spool: Spool
    ) -> None:
        journal = Journal(Store(slow.writer(), slow, spool))

        async def work() -> None:
            await all_of(journal, several(1))
            large = make_call(*[scored() for _ in range(300)])
            assert await all_of(journal, [large]) == [None]
            assert spool.pending
            await until(lambda: not spool.pending)
            assert await all_of(journal, several(1)) == [None]

        run(journal, work)
        assert count(slow.engine)["employee_inputs"] == 302
        assert spool.state().set_aside == 0

    def test_a_call_that_fails_again_and_again_is_set_aside_and_the_rest_put_back(
        self, slow: Switch, spool: Spool, caplog: pytest.LogCaptureFixture
    ) -> None:
        journal = Journal(Store(slow.writer(), slow, spool))

        async def work() -> None:
            await all_of(journal, several(1))
            never = make_call(scored("never"))
            assert await all_of(journal, [*several(2), never, *several(2)]) == [None] * 5
            await until(lambda: not spool.pending)

        run(journal, work)
        assert count(slow.engine)["requests"] == 5
        assert spool.state().set_aside == 1
        assert "a spooled call is set aside, since" in caplog.text
        assert caplog.text.count("goes to the spool") >= stores.TRIES

    def test_where_nothing_goes_in_nothing_is_set_aside(self, slow: Switch, spool: Spool) -> None:
        looks: list[str] = []

        def probe() -> None:
            looks.append("a look")
            slow()

        journal = Journal(Store(slow.writer(), probe, spool))

        async def work() -> None:
            await all_of(journal, several(1))
            with slow.engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE features RENAME TO elsewhere")
            assert await all_of(journal, several(5)) == [None] * 5
            await until(lambda: len(looks) > 2 * stores.TRIES)
            with slow.engine.begin() as connection:
                connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO features")
            await until(lambda: not spool.pending)

        run(journal, work)
        assert set(count(slow.engine).values()) == {6}
        assert spool.state().set_aside == 0

    def test_a_full_spool_keeps_nobody_out_once_the_database_is_back(
        self, engine: Engine, switch: Switch, tmp_path: Path
    ) -> None:
        spool = Spool(tmp_path / "spool", 5000)
        store = Store(switch.writer(), switch, spool)
        switch.is_on = False
        store.open()
        entries = [entry_of(one) for one in several(20)]
        outcomes = [store.keep([entry])[0] for entry in entries]
        assert outcomes[0] is None
        assert isinstance(outcomes[-1], SpoolError)
        switch.is_on = True
        asyncio.run(until(lambda: store.away is None))
        assert store.keep(entries[-1:]) == [None]
        assert count(engine)["requests"] == 1
        assert store.check()
        while store.is_behind:
            store.catch_up()
        assert count(engine)["requests"] == 1 + outcomes.count(None)
        store.close()

    def test_neither_database_nor_spool_is_no_record(
        self, engine: Engine, switch: Switch, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        switch.is_on = False
        journal = Journal(Store(switch.writer(), switch, Spool(tmp_path / "file" / "spool", 1024)))

        async def work() -> None:
            [outcome] = await all_of(journal, several(1))
            assert isinstance(outcome, SpoolError)
            with pytest.raises(SpoolError):
                journal.check()
            switch.is_on = True
            await until(lambda: not journal.state().database_away)
            assert await all_of(journal, several(1)) == [None]
            journal.check()

        run(journal, work)
        assert count(engine)["requests"] == 1

    def test_a_failure_of_our_own_stops_nobody_else(
        self,
        engine: Engine,
        switch: Switch,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        writer = switch.writer()
        journal = Journal(Store(writer, switch, None))

        def fails(_: object) -> Any:
            raise ValueError("secret-4711")

        async def work() -> None:
            with monkeypatch.context() as broken:
                broken.setattr(writer, "write", fails)
                [outcome] = await all_of(journal, several(1))
            assert isinstance(outcome, ChurnError)
            assert await all_of(journal, several(1)) == [None]

        run(journal, work)
        assert "ValueError" in caplog.text
        assert "secret-4711" not in caplog.text


def refused(route: str) -> Call:
    return replace(make_call(status=401, route=route), caller=Caller())


def test_a_flood_of_refused_logins_is_counted(engine: Engine, switch: Switch) -> None:
    journal = Journal(Store(switch.writer(), switch, None))
    made_up = [f"M{number}" for number in range(100)]  # nor does it get a row by a method of its own
    flood = [
        replace(refused(route), method=method) for route in ("/predict", "/history") for method in made_up
    ]
    run(journal, lambda: all_of(journal, flood))
    with engine.connect() as connection:
        rows = connection.execute(select(requests.c.route, requests.c.times)).all()
    assert sum(row.times for row in rows) == 200
    assert len(rows) == STORED + 2
    assert {row.route: row.times for row in rows if row.times > 1} == {
        "/predict": 100 - STORED,
        "/history": 100,
    }


def test_calls_by_somebody_known_are_stored_one_by_one(engine: Engine, switch: Switch) -> None:
    journal = Journal(Store(switch.writer(), switch, None))
    run(journal, lambda: all_of(journal, [make_call(status=404) for _ in range(2 * STORED)]))
    assert count(engine)["requests"] == 2 * STORED


def test_a_count_is_stored_while_the_service_goes_on(
    engine: Engine, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "COUNTING", 0.01)
    journal = Journal(Store(switch.writer(), switch, None))

    async def work() -> None:
        await all_of(journal, [refused("/predict") for _ in range(STORED + 5)])
        await until(lambda: count(engine)["requests"] == STORED + 1)

    run(journal, work)
