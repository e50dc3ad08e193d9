"""No setting of a session changes what is written, or what is read: directly, and behind a pooler."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, create_engine, make_url, select

from churn.cli.main import main
from churn.core.errors import DatabaseError
from churn.database import schema
from churn.database.engine import opened, parse_url
from churn.database.tables import api_responses, employee_inputs, features, requests
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.operator_actions import record_action
from churn.journal.writer import Writer
from churn.records.history import History
from churn.records.integrity import verify
from churn.schemas.history_query import HistoryQuery
from harness import postgres
from tests.support.calls import NOON, make_call, scored
from tests.support.pgbouncer import pooled

SETTINGS = {
    "TimeZone": "Europe/Paris",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "client_encoding": "LATIN1",
    "search_path": "pg_catalog",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "1min",
    "lc_numeric": "C",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
}
PERSON = "Zoé \\' \\\\x41 ☃"  # what quoting and encodings may trip over
THIRD = 1 / 3


@pytest.fixture(scope="module", params=["direct", "pooled"])
def way(request: pytest.FixtureRequest, postgresql: str) -> Iterator[Callable[[str], str]]:
    """Return what makes, of a database's URL, the one by which churn is led to it."""
    if request.param == "direct":
        yield lambda url: url
    else:
        with pooled(postgresql) as pooler:
            yield (
                lambda url: (
                    make_url(pooler)
                    .set(database=make_url(url).database)
                    .render_as_string(hide_password=False)
                )
            )


@contextmanager
def plain(url: str) -> Iterator[Engine]:
    """Yield an engine that sets nothing."""
    engine = create_engine(parse_url(url), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def url(postgresql: str, postgresql_at_head: str) -> Iterator[str]:
    with postgres.database(postgresql, postgresql_at_head) as made:
        yield made


def call() -> Call:
    one = replace(scored(PERSON), base_value=-THIRD, probability=0.1 + 0.2, threshold=THIRD)
    made = make_call(one)
    made.duration_ms = 1e-7 * THIRD
    return made


def check(engine: Engine, one: Call) -> None:
    """See that the database has what was written, to the last bit."""
    with engine.connect() as connection:
        request = connection.execute(select(requests).where(requests.c.id == one.id)).one()
        answer = connection.execute(select(api_responses).where(api_responses.c.request_id == one.id)).one()
        given = connection.execute(
            select(employee_inputs).where(employee_inputs.c.request_id == one.id)
        ).one()
        seen = connection.execute(select(features).where(features.c.id == given.id)).one()
    assert (request.received_at, answer.answered_at) == (one.received_at, one.answered_at)
    assert (answer.duration_ms, seen.base_value) == (one.duration_ms, -THIRD)
    assert (given.employee_id, given.record["employee_id"]) == (PERSON, PERSON)


def test_no_setting_of_a_database_or_a_role_changes_a_value(
    url: str, way: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, role, calls = make_url(url).database, make_url(url).username, [call()]
    places = f'DATABASE "{name}"', f'ROLE "{role}" IN DATABASE "{name}"'
    with opened(url) as engine:
        Writer(engine).write([entry_of(calls[0])])  # by one whose settings are others
    with plain(url) as admin, admin.connect() as connection:
        for place, (setting, value) in zip(cycle(places), SETTINGS.items(), strict=False):
            connection.exec_driver_sql(f"ALTER {place} SET {setting} = {value!r}")
    with plain(way(url)) as other, other.connect() as connection:
        found = {one: str(connection.exec_driver_sql(f"SHOW {one}").scalar()) for one in SETTINGS}
    # What was set is what a session has that does not care: PgBouncer, or the driver, asks for ISO dates.
    assert {**found, "DateStyle": SETTINGS["DateStyle"]} == SETTINGS
    with opened(way(url)) as engine:
        writer = Writer(engine)
        for replayed in (False, False, True):
            calls.append(call())
            writer.write([entry_of(calls[-1])], replayed=replayed)
        record_action(engine, "churn data show", {"predictions": 1}, who="Zoé")
        writer.close()
        since = NOON - timedelta(days=400)
        [newest, *_] = History(engine).page(HistoryQuery(employee_id=PERSON, since=since)).predictions
        assert (newest.at, newest.probability, newest.threshold) == (NOON, 0.1 + 0.2, THIRD)
        assert newest.at is not None
        assert newest.at.utcoffset() == timedelta(0)
        for one in calls:
            check(engine, one)
    monkeypatch.setenv("DATABASE_URL", way(url))
    for command in (["data", "verify"], ["db", "upgrade"], ["db", "check"]):
        told = CliRunner().invoke(main, command)
        assert told.exit_code == 0, told.output
    with plain(url) as admin, admin.connect() as connection:
        for place in places:
            connection.exec_driver_sql(f"ALTER {place} RESET ALL")
    with plain(url) as unset:
        for one in calls:
            check(unset, one)
        assert verify(unset).findings == []


def test_what_others_left_in_a_poolers_session_changes_no_value(url: str) -> None:
    with pooled(url, size=1) as pooler:
        with plain(pooler) as other, other.connect() as connection:
            for setting, value in SETTINGS.items():
                connection.exec_driver_sql(f"SET {setting} = {value!r}")
            connection.exec_driver_sql("CREATE TEMPORARY TABLE requests (id uuid)")
        with opened(pooler) as engine:
            writer, calls = Writer(engine), [call(), call()]
            for one in calls:
                writer.write([entry_of(one)])
                check(engine, one)
            writer.close()
            assert verify(engine).findings == []
            with engine.connect() as connection:  # in that very session
                assert connection.exec_driver_sql("SHOW transform_null_equals").scalar() == "on"


@pytest.mark.parametrize(
    "option",
    ["-c timezone=Europe/Paris -c DateStyle=SQL", "--extra_float_digits=-15 -c client_encoding=LATIN1"],
)
def test_what_the_url_sets_changes_no_value(url: str, option: str) -> None:
    asked = make_url(url).update_query_dict({"options": option})
    with opened(asked.render_as_string(hide_password=False)) as engine:
        one = call()
        Writer(engine).write([entry_of(one)])
        check(engine, one)
        assert verify(engine).findings == []


def test_the_tables_may_be_in_any_schema(postgresql: str, way: Callable[[str], str]) -> None:
    with postgres.database(postgresql) as url, plain(url) as admin, admin.connect() as connection:
        connection.exec_driver_sql('CREATE SCHEMA "H r"')
        connection.exec_driver_sql(f'ALTER DATABASE "{admin.url.database}" SET search_path = "H r"')
        one = call()
        with opened(way(url)) as engine:
            schema.upgrade(engine)
            Writer(engine).write([entry_of(one)])
        assert connection.exec_driver_sql('SELECT count(*) FROM "H r".requests').scalar() == 1
        assert connection.exec_driver_sql("SELECT to_regclass('public.requests')").scalar() is None
        connection.exec_driver_sql(f'ALTER DATABASE "{admin.url.database}" RESET search_path')
        with opened(way(url)) as engine:
            schema.upgrade(engine)  # makes no second journal elsewhere
            check(engine, one)
            assert verify(engine).findings == []
            assert schema.check(engine)
        connection.exec_driver_sql("CREATE SCHEMA old; CREATE TABLE old.prediction_results (id uuid)")
        several = r"several schemas .*\(H r, old\).* SET search_path"
        with opened(url) as engine, pytest.raises(DatabaseError, match=several):
            schema.check(engine)


def test_a_database_that_is_set_to_be_only_read_is_said_to_be(url: str) -> None:
    asked = make_url(url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    with opened(asked.render_as_string(hide_password=False)) as engine:
        assert schema.check(engine) == schema.head()
        with pytest.raises(DatabaseError, match=r"takes no writes \(.*default_transaction_read_only is on\)"):
            Writer(engine).write([entry_of(call())])
