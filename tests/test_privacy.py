"""One person in the journal: shown whole, erased without a trace, and purged when old; each act logged."""

import json
import re
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete, select

from churn.cli.main import main
from churn.core.ids import new_id
from churn.database import engine as engines
from churn.database.months import bound
from churn.database.tables import JOURNAL, api_responses, employee_inputs, journal_batches, requests
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.pseudonyms import pseudonymizer, stored_forms
from churn.journal.spool import Spool
from churn.journal.writer import Writer
from churn.records.integrity import verify
from tests.conftest import Served
from tests.support.calls import count, make_call, scored
from tests.support.company import EXAMPLE

Command = Callable[..., tuple[int, str]]
MINE, HERS = "Zoé-4711", "Ana-0815"
# No id, digest or figure has these by chance.
MY_PAY, HER_PAY = 4242.75, 3131.75
MY_NAME = re.compile(r"Zo(é|\\xc3\\xa9|\\xe9|\\u00e9)")
KEY = "a secret of some length"


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))

    def run(*arguments: object, answer: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(main, ["data", *map(str, arguments)], input=answer)
        return result.exit_code, result.output

    return run


@pytest.fixture
def logged(served: Served) -> Served:
    """Return the service after calls about two people, alone, in a batch and in a what-if."""
    mine = {**EXAMPLE, "employee_id": MINE, "revenu_mensuel": MY_PAY}
    hers = {**EXAMPLE, "employee_id": HERS, "revenu_mensuel": HER_PAY}
    for path, body in (
        ("/predict", mine),
        ("/predict", hers),
        ("/predict_batch", [hers, mine, hers]),
        ("/what_if", {"employee": mine, "changes": {"heures_supp": "Non"}}),
    ):
        assert served.client.post(path, json=body).status_code == 200
    return served


def everything(engine: Engine) -> str:
    with engine.connect() as connection:
        return "\n".join(str(row) for table in JOURNAL for row in connection.execute(select(table)))


MINE_IN_FILES = (MINE, f'"revenu_mensuel":{MY_PAY}')


def told_by_files(engine: Engine, mark: str) -> bool:
    """Return whether a text is in the files of a SQLite database."""
    file = Path(str(engine.url.database))
    return any(mark.encode() in one.read_bytes() for one in file.parent.glob(f"{file.name}*"))


def acts(engine: Engine) -> list[tuple[str, Any]]:
    query = (
        select(requests.c.route, api_responses.c.body)
        .join(api_responses, api_responses.c.request_id == requests.c.id)
        .where(requests.c.caller_kind == "operator")
        .order_by(requests.c.id)
    )
    with engine.connect() as connection:
        return [(route, body) for route, body in connection.execute(query)]


class TestShow:
    def test_is_everything_of_one_person_and_nothing_of_another(
        self, logged: Served, command: Command
    ) -> None:
        code, output = command("show", MINE, "--json")
        found = [json.loads(line) for line in output.splitlines()]
        assert code == 0
        assert [one["route"] for one in found] == ["/predict", "/predict_batch", "/what_if", "/what_if"]
        assert {one["record"]["employee_id"] for one in found} == {MINE}
        assert {one["caller_name"] for one in found} == {"tests"}
        for one in found[:2]:
            assert one["answer"]["prediction_id"] == one["prediction_id"]
            assert one["answer"]["probability"] == one["probability"]
        assert set(found[2]["answer"]) == {"before", "after", "difference", "suggestions", "message"}
        assert HERS not in output
        assert str(HER_PAY) not in output
        assert acts(logged.engine) == [("churn data show", {"predictions": 4})]

    def test_is_also_what_is_left_of_a_call_that_was_torn_out(self, logged: Served, command: Command) -> None:
        with logged.engine.begin() as connection:
            connection.execute(delete(requests).where(requests.c.route == "/predict"))
        code, output = command("show", MINE, "--json")
        found = [json.loads(line) for line in output.splitlines()]
        assert (code, len(found)) == (0, 4)
        assert (found[0]["at"], found[0]["route"], found[0]["caller_kind"]) == (None, None, None)
        assert found[0]["record"]["employee_id"] == MINE
        code, output = command("show", MINE)
        assert (code, "?  ?, asked by ?" in output) == (0, True)

    def test_reads_well(self, logged: Served, command: Command) -> None:
        code, output = command("show", MINE)
        assert code == 0
        assert "/predict, asked by token tests" in output
        assert re.search(r"probability 0\.\d{4}, threshold 0\.\d{4}", output)
        assert re.search(rf": {MY_PAY}  \([+-]", output)

    def test_goes_to_a_file_that_others_may_not_read(
        self, logged: Served, command: Command, tmp_path: Path
    ) -> None:
        assert command("show", MINE, "-o", tmp_path / "mine.jsonl")[0] == 0
        assert len((tmp_path / "mine.jsonl").read_text(encoding="utf-8").splitlines()) == 4
        assert (tmp_path / "mine.jsonl").stat().st_mode & 0o777 == 0o600
        code, output = command("show", MINE, "-o", tmp_path / "mine.jsonl")
        assert (code, "is already there" in output) == (1, True)

    @pytest.mark.parametrize("name", ["show", "erase"])
    def test_of_nobody_says_so(self, logged: Served, command: Command, name: str) -> None:
        code, output = command(name, "Nobody")
        assert (code, "has nothing about this employee" in output) == (1, True)
        assert acts(logged.engine) == []


class TestErase:
    def test_leaves_no_trace_and_everybody_else(self, logged: Served, command: Command) -> None:
        before = count(logged.engine)
        code, output = command("erase", MINE, "--yes")
        assert (code, "4 predictions and 3 answers erased" in output) == (0, True)
        left = everything(logged.engine)
        assert MINE not in left
        assert not MY_NAME.search(left)
        assert str(MY_PAY) not in left
        assert count(logged.engine) == {
            **before,
            "requests": before["requests"] + 1,
            "api_responses": before["api_responses"] + 1,
        }
        code, output = command("show", HERS, "--json")
        hers = [json.loads(line) for line in output.splitlines()]
        assert [one["record"]["revenu_mensuel"] for one in hers] == [HER_PAY] * 3
        assert all(one["answer"]["probability"] == one["probability"] for one in hers)
        assert command("erase", MINE, "--yes")[0] == 1

    def test_is_logged_without_whose_data_it_was_and_the_chain_stays_valid(
        self, logged: Served, command: Command
    ) -> None:
        command("erase", MINE, "--yes")
        [(route, detail)] = acts(logged.engine)
        assert route == "churn data erase"
        assert (len(detail["predictions"]), len(detail["responses"])) == (4, 3)
        assert set(detail) == {"predictions", "responses", "reviews", "outcomes"}
        found = verify(logged.engine)
        assert (found.findings, found.erased) == ([], 4 * 3 + 3)

    def test_asks_first(self, logged: Served, command: Command) -> None:
        before = everything(logged.engine)
        assert command("erase", MINE, answer="n\n")[0] == 1
        assert everything(logged.engine) == before
        assert command("erase", MINE, answer="y\n")[0] == 0

    def test_leaves_nothing_in_the_files_of_sqlite(self, logged: Served, command: Command) -> None:
        if logged.engine.dialect.name != "sqlite":
            return  # what PostgreSQL keeps, and until when, is in docs/audit.md
        assert all(told_by_files(logged.engine, mark) for mark in MINE_IN_FILES)
        code, output = command("erase", MINE, "--yes")
        assert (code, "the database's log" in output) == (0, False)
        assert [mark for mark in MINE_IN_FILES if told_by_files(logged.engine, mark)] == []
        assert told_by_files(logged.engine, HERS)

    def test_says_where_a_reader_keeps_the_log_of_sqlite(
        self, logged: Served, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if logged.engine.dialect.name != "sqlite":
            return
        monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.1)
        with closing(sqlite3.connect(str(logged.engine.url.database), isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM requests").fetchone()
            code, output = command("erase", MINE, "--yes")
            assert (code, "the database's log (-wal) still has what was taken away" in output) == (0, True)
        assert MINE not in everything(logged.engine)

    def test_waits_for_the_spool(self, logged: Served, command: Command, tmp_path: Path) -> None:
        spool = Spool(tmp_path / "spool", 10**6)
        spool.append([entry_of(make_call(scored(MINE)))])
        spool.close()
        code, output = command("erase", MINE, "--yes")
        assert (code, "1 calls wait in the spool" in output) == (1, True)
        assert MINE in everything(logged.engine)


def id_of(moment: datetime) -> uuid.UUID:
    """Return a key that was made at a moment."""
    return uuid.UUID(int=bound(moment).int | new_id().int & (1 << 80) - 1)


def call_of(moment: datetime) -> Call:
    one = make_call(replace(scored(7), id=id_of(moment)))
    return replace(one, id=id_of(moment), received_at=moment, answered_at=moment)


class TestPurge:
    @pytest.fixture
    def years(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
        """Return a journal with a call a month over two years."""
        monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
        writer = Writer(engine)
        for months in reversed(range(24)):
            moment = datetime.now(UTC) - timedelta(days=30.4 * months + 1)
            monkeypatch.setattr("churn.journal.writer.new_id", partial(id_of, moment))
            writer.write([entry_of(call_of(moment))])
        monkeypatch.undo()
        monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
        writer.close()
        return engine

    def test_removes_what_is_old_whole_and_leaves_the_rest_whole(
        self, years: Engine, command: Command
    ) -> None:
        with years.connect() as connection:
            first = connection.execute(select(requests.c.id).order_by(requests.c.id).limit(1)).scalar_one()
        code, output = command("purge", "--older-than", "400d", "--yes")
        assert code == 0
        assert years.dialect.name != "sqlite" or not told_by_files(years, first.hex)
        assert "10 calls removed" in output
        left = count(years)
        assert {left["employee_inputs"], left["features"], left["prediction_results"]} == {14}
        assert {left["requests"], left["api_responses"]} == {15}
        with years.connect() as connection:
            assert len(connection.execute(select(journal_batches.c.id)).all()) == 15
            moments = connection.execute(select(requests.c.received_at).order_by(requests.c.id)).scalars()
            oldest = moments.first()
        assert oldest is not None
        assert oldest > datetime.now(UTC) - timedelta(days=400)
        [(route, detail)] = acts(years)
        assert (route, set(detail)) == ("churn data purge", {"before", "reviews", "outcomes"})
        assert verify(years).findings == []

    def test_only_says_how_much_it_would_be(self, years: Engine, command: Command) -> None:
        before = everything(years)
        code, output = command("purge", "--dry-run", "--older-than", "14m")
        assert (code, "calls are from before" in output) == (0, True)
        assert command("purge", answer="n\n")[0] == 1
        assert everything(years) == before

    def test_keeps_the_six_months_of_the_ai_act(self, years: Engine, command: Command) -> None:
        code, output = command("purge", "--older-than", "182d", "--yes")
        assert (code, "article 26(6)" in output) == (1, True)
        assert count(years)["requests"] == 24
        assert command("purge", "--older-than", "182d", "--yes", "--force")[0] == 0
        assert count(years)["requests"] < 10

    @pytest.mark.parametrize("age", ["400", "d", "-1d", "1.5y", "400 d"])
    def test_an_age_that_is_none(self, years: Engine, command: Command, age: str) -> None:
        code, output = command("purge", "--older-than", age, "--yes")
        assert (code, "expected a number of days, months or years" in output) == (2, True)
        assert count(years)["requests"] == 24


class TestPseudonyms:
    def test_are_the_same_for_the_same_key_and_person_only(self) -> None:
        hidden = pseudonymizer(KEY)
        assert hidden(MINE) == hidden(MINE) != hidden(HERS)
        assert hidden(MINE) != pseudonymizer(KEY + "x")(MINE)
        assert re.fullmatch(r"p:[0-9a-f]{32}", hidden(MINE))

    def test_both_forms_are_looked_for_where_there_is_a_key(self) -> None:
        assert stored_forms(MINE, "") == (MINE,)
        assert stored_forms(MINE, KEY) == (MINE, pseudonymizer(KEY)(MINE))

    def test_take_the_place_of_the_id_everywhere_and_the_person_is_still_found(
        self, pseudonymized: Served, command: Command
    ) -> None:
        client = pseudonymized.client
        assert client.post("/predict", json={**EXAMPLE, "employee_id": MINE}).status_code == 200
        assert MINE not in everything(pseudonymized.engine)
        found = client.get("/history", params={"employee_id": MINE}).json()["predictions"]
        assert [one["employee_id"] for one in found] == [pseudonymizer(KEY)(MINE)]
        assert command("erase", MINE, "--yes")[0] == 0
        with pseudonymized.engine.connect() as connection:
            assert connection.execute(select(employee_inputs.c.record)).scalars().all() == [None]
