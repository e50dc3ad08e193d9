"""Whatever somebody does to the journal behind its back is found, and named."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from churn.cli.main import main
from churn.core.ids import new_id
from churn.database import schema, session
from churn.database.engine import opened
from churn.database.tables import JOURNAL, metadata
from churn.journal import operator_actions
from churn.journal.entry import entry_of
from churn.journal.operator_actions import record_action
from churn.journal.writer import Writer
from churn.records.integrity import verify
from harness.servers import wait_until
from tests.support.calls import make_call, scored


def sql(engine: Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement), values)


def ids(engine: Engine, table: str, key: str = "id", where: str = "1 = 1") -> list[str]:
    with engine.connect() as connection:
        query = f"SELECT {key} FROM {table} WHERE {where} ORDER BY {key}"
        return [str(found) for found in connection.execute(text(query)).scalars()]


def remove_requests(engine: Engine, keys: list[str]) -> None:
    for key in keys:
        inputs = "SELECT id FROM employee_inputs WHERE request_id = :key"
        sql(engine, f"DELETE FROM features WHERE id IN ({inputs})", key=key)
        for table in ("prediction_results", "employee_inputs", "api_responses"):
            sql(engine, f"DELETE FROM {table} WHERE request_id = :key", key=key)
        sql(engine, "DELETE FROM requests WHERE id = :key", key=key)


@pytest.fixture
def journal(engine: Engine) -> Engine:
    """Return a journal of two chains: single predictions, a batch, a what-if, refusals."""
    for _ in range(2):
        writer = Writer(engine)
        writer.write([entry_of(make_call(scored(number))) for number in range(3)])
        writer.write([entry_of(make_call(scored(5), scored(6), scored(7), route="/predict_batch"))])
        writer.write([entry_of(make_call(status=422)), entry_of(make_call(scored("é\\'\"")))])
        writer.close()
    return engine


def test_an_untouched_journal_is_as_it_was_written(journal: Engine) -> None:
    seen: list[tuple[int, int]] = []
    found = verify(journal, lambda done, total: seen.append((done, total)))
    assert (found.findings, found.batches, len(found.heads)) == ([], 6, 2)
    assert found.rows == sum(len(ids(journal, t)) for t in ("requests", "employee_inputs")) + sum(
        len(ids(journal, t)) for t in ("features", "prediction_results")
    ) + len(ids(journal, "api_responses", "request_id"))
    assert seen[-1] == (6, 6)


def test_an_empty_journal_is_as_it_was_written(engine: Engine) -> None:
    assert verify(engine).findings == []


CHANGES = {
    "who asked": ("requests", "caller_name = 'nobody'"),
    "when": ("requests", "received_at = '2026-01-15 12:00:00.000001'"),
    "how often": ("requests", "times = 2"),
    "the salt of a request": ("requests", "salt = '00000000000000000000000000000000'"),
    "the record": ("employee_inputs", """record = '{"age"\\:41}'"""),
    "a space in the record": ("employee_inputs", """record = '{"age"\\: 40}'"""),
    "whose record": ("employee_inputs", "employee_id = 'x'"),
    "the place in a batch": ("employee_inputs", "position = 7"),
    "a contribution": ("features", """contributions = '{"poste"\\:0.26}'"""),
    "the base value": ("features", "base_value = -1.6"),
    "the probability": ("prediction_results", "probability = 0.2228"),
    "the prediction": ("prediction_results", "prediction = 0"),
    "the model": ("prediction_results", "model = 'churn:abd'"),
    "what was answered": ("api_responses", "body = '{}'"),
    "the status": ("api_responses", "status = 201"),
    "the batch's digest": ("journal_batches", "committed_at = committed_at, sequence = 9"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_row_is_named(journal: Engine, what: str) -> None:
    table, change = CHANGES[what]
    key = "request_id" if table == "api_responses" else "id"
    one = ids(journal, table, key)[2]
    sql(journal, f"UPDATE {table} SET {change} WHERE {key} = :one", one=one)
    first = verify(journal).findings[0]
    assert (first.table, first.id, first.message) == (table, uuid.UUID(one), "changed")


@pytest.mark.parametrize(
    "table", ["features", "prediction_results", "api_responses", "employee_inputs", "requests"]
)
def test_a_removed_row_is_missed(journal: Engine, table: str) -> None:
    key = "request_id" if table == "api_responses" else "id"
    one = ids(journal, table, key)[1]
    sql(journal, f"DELETE FROM {table} WHERE {key} = :one", one=one)
    findings = verify(journal).findings
    assert findings
    if table in ("features", "prediction_results", "api_responses"):
        assert (findings[0].table, findings[0].id, findings[0].message) == (table, uuid.UUID(one), "removed")
    else:
        assert "removed" in findings[0].message
        assert any("was removed" in finding.message for finding in findings[1:])


def test_a_whole_request_removed_is_missed(journal: Engine) -> None:
    remove_requests(journal, ids(journal, "requests")[:1])
    [finding] = verify(journal).findings
    assert "5 rows of batch" in finding.message


def clone(journal: Engine, table: str, key: str, **changes: str) -> uuid.UUID:
    """Insert a copy of a row under a new key."""
    new, one = new_id(), ids(journal, table, key)[0]
    with journal.begin() as connection:
        names = metadata.tables[table].columns.keys()
        listed = ", ".join(f'"{name}"' for name in names)
        values = ", ".join(":new" if name == key else changes.get(name, f'"{name}"') for name in names)
        bound = str(new) if connection.dialect.name == "postgresql" else new.hex
        copy = f"INSERT INTO {table} ({listed}) SELECT {values} FROM {table} WHERE {key} = :one"
        connection.execute(text(copy), {"new": bound, "one": one})
    return new


@pytest.mark.parametrize("table", [table.name for table in JOURNAL])
def test_an_inserted_row_is_named(journal: Engine, table: str) -> None:
    new = clone(journal, table, "request_id" if table == "api_responses" else "id")
    findings = verify(journal).findings
    assert new in {finding.id for finding in findings if finding.table == table}
    assert "inserted" in str([finding.message for finding in findings if finding.id == new])


def test_a_request_of_no_batch_is_named(journal: Engine) -> None:
    new = clone(journal, "requests", "id", batch_id="NULL")
    assert [(one.id, one.message) for one in verify(journal).findings] == [(new, "inserted: no batch has it")]


def test_a_request_from_before_there_were_seals_is_counted(journal: Engine) -> None:
    sql(journal, "DELETE FROM journal_batches")
    sql(journal, "UPDATE requests SET batch_id = NULL")
    found = verify(journal)
    assert (found.findings, found.unsealed) == ([], len(ids(journal, "requests")))


@pytest.mark.parametrize("which", [0, 1, 4], ids=["first", "middle", "of the second chain"])
def test_a_removed_batch_is_missed(journal: Engine, which: int) -> None:
    one = ids(journal, "journal_batches")[which]
    sql(journal, "DELETE FROM requests WHERE batch_id = :one", one=one)
    sql(journal, "DELETE FROM journal_batches WHERE id = :one", one=one)
    assert "removed" in verify(journal).findings[0].message


def test_a_removed_chain_on_which_another_was_begun_is_missed(journal: Engine) -> None:
    for one in ids(journal, "journal_batches")[:3]:
        sql(journal, "DELETE FROM journal_batches WHERE id = :one", one=one)
    assert any("was begun on was removed" in one.message for one in verify(journal).findings)


def test_the_newest_end_cut_off_is_seen_with_the_heads_that_were_kept(journal: Engine) -> None:
    heads = verify(journal).heads
    assert verify(journal, known=heads).findings == []
    newest = ids(journal, "journal_batches")[-1]
    remove_requests(journal, ids(journal, "requests", where=f"batch_id = '{newest}'"))
    sql(journal, "DELETE FROM journal_batches WHERE id = :b", b=newest)
    assert verify(journal).findings == []
    [finding] = verify(journal, known=heads).findings
    assert finding.id == uuid.UUID(newest)


ERASE = {
    "employee_inputs": "employee_id = NULL, record = NULL, salt = NULL",
    "features": '"values" = NULL, contributions = NULL',
    "prediction_results": "prediction = NULL, probability = NULL",
}


def erase(journal: Engine, one: str) -> None:
    for table, change in ERASE.items():
        sql(journal, f"UPDATE {table} SET {change} WHERE id = :one", one=one)


def test_what_an_act_erased_is_not_missed_but_what_none_did_is(journal: Engine) -> None:
    one, other = ids(journal, "employee_inputs")[:2]
    [request] = ids(journal, "employee_inputs", "request_id", where=f"id = '{one}'")
    erase(journal, one)
    sql(journal, "UPDATE api_responses SET body = NULL, salt = NULL WHERE request_id = :r", r=request)
    assert len(verify(journal).findings) == 4
    detail = {"predictions": [str(uuid.UUID(one))], "responses": [str(uuid.UUID(request))]}
    record_action(journal, operator_actions.ERASE, detail, who="marie")
    found = verify(journal)
    assert (found.findings, found.erased) == ([], 4)
    erase(journal, other)
    findings = verify(journal).findings
    assert {finding.id for finding in findings} == {uuid.UUID(other)}
    assert "no act of erasure says so" in findings[0].message


def test_a_forged_act_is_named_itself(journal: Engine) -> None:
    record_action(journal, operator_actions.ERASE, {"predictions": [], "responses": []}, who="marie")
    one = ids(journal, "employee_inputs")[0]
    erase(journal, one)
    forged = json.dumps({"predictions": [str(uuid.UUID(one))], "responses": []}, separators=(",", ":"))
    act = "SELECT id FROM requests WHERE route = 'churn data erase'"
    sql(journal, f"UPDATE api_responses SET body = :body WHERE request_id IN ({act})", body=forged)
    assert [one.table for one in verify(journal).findings] == ["api_responses"]


@pytest.fixture
def command(journal: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("DATABASE_URL", journal.url.render_as_string(hide_password=False))

    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["data", "verify", *map(str, arguments)])
        return result.exit_code, result.output

    return run


class TestCommand:
    def test_says_that_all_is_well_and_keeps_the_heads(
        self, command: Callable[..., tuple[int, str]], journal: Engine, tmp_path: Path
    ) -> None:
        code, output = command("--save-heads", tmp_path / "heads.json")
        assert code == 0
        assert "66 rows in 6 transactions of 2 chains" in output
        assert "the journal is as it was written" in output
        assert command("--heads", tmp_path / "heads.json")[0] == 0
        newest = ids(journal, "journal_batches")[-1]
        sql(journal, "DELETE FROM journal_batches WHERE id = :b", b=newest)
        sql(journal, "DELETE FROM requests WHERE batch_id = :b", b=newest)
        code, output = command("--heads", tmp_path / "heads.json")
        assert code == 1
        assert "a head that was kept is not in its chain any more" in output

    def test_names_what_was_changed(self, command: Callable[..., tuple[int, str]], journal: Engine) -> None:
        one = ids(journal, "prediction_results")[0]
        sql(journal, "UPDATE prediction_results SET probability = 0.9 WHERE id = :one", one=one)
        code, output = command()
        assert (code, f"prediction_results {uuid.UUID(one)}: changed" in output) == (1, True)
        assert "the journal is NOT as it was written" in output

    def test_heads_that_are_none(self, command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
        (tmp_path / "heads.json").write_text("[]")
        code, output = command("--heads", tmp_path / "heads.json")
        assert (code, "does not hold heads" in output) == (1, True)


def test_a_walk_takes_as_long_as_it_needs(empty_postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_postgresql)
    monkeypatch.setitem(session.LIMITS, "statement_timeout", "200ms")
    waiting = text(
        "SELECT max(clock_timestamp() - query_start) > interval '1 s' FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    def is_long(engine: Engine) -> bool:
        with engine.connect() as watching:
            return bool(watching.execute(waiting).scalar())

    with opened(empty_postgresql, patient=True) as engine:
        schema.upgrade(engine)
        Writer(engine).write([entry_of(make_call(scored(1)))])
        with ThreadPoolExecutor(1) as elsewhere:
            with engine.begin() as locking:
                locking.execute(text("LOCK TABLE features IN ACCESS EXCLUSIVE MODE"))
                walk = elsewhere.submit(CliRunner().invoke, main, ["data", "verify"])
                wait_until(lambda: is_long(engine))
            assert walk.result().exit_code == 0, walk.result().output
