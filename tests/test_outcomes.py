"""Outcomes, by the commands on both databases: stored and sealed, held against predictions, erased."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, func, select, text

from churn.cli.main import main
from churn.database.tables import employee_inputs, outcomes
from churn.dictionary.technova import TECHNOVA
from churn.journal.pseudonyms import pseudonymizer
from churn.model.registry import ServedModel
from churn.records.integrity import verify
from harness.identities import a_token, bearer
from tests.conftest import Served
from tests.support.company import EXAMPLE
from tests.support.past import days_ago, predicted
from tests.support.year import TODAY, written, year

Command = Callable[..., Result]
KEY = "a secret of some length"
LONG_AGO, LATELY = 400, 150  # days


@pytest.fixture
def command(engine: Engine, model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHURN_MODEL", model.tag)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, list(map(str, arguments)))

    return run


def stored(engine: Engine) -> list[tuple[str | None, date | None, date | None]]:
    columns = outcomes.c.employee_id, outcomes.c.left_on, outcomes.c.known_until
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(outcomes.c.id))]


class TestStored:
    def test_what_a_file_says_is_stored_and_sealed(
        self, engine: Engine, model: ServedModel, command: Command, tmp_path: Path
    ) -> None:
        predicted(engine, model, year(3, 1).records, days_ago(90))
        file = written(
            tmp_path, [{"id": 0, "left_on": TODAY - timedelta(days=5)}, {"id": 1, "left_on": None}]
        )
        done = command("outcomes", file, "--known-until", TODAY)
        assert done.output.splitlines() == [
            "note: outcomes.csv: semicolons, decimal commas, UTF-8, 2 rows",
            "2 outcomes stored, 1 of them of leavers; 0 not taken",
        ]
        assert sorted(stored(engine)) == [("0", TODAY - timedelta(days=5), TODAY), ("1", None, TODAY)]
        report = verify(engine)
        assert (report.findings, report.unsealed) == ([], 0)
        with engine.begin() as connection:
            connection.execute(text("UPDATE outcomes SET left_on = NULL WHERE employee_id = '0'"))
        assert [(found.table, found.message) for found in verify(engine).findings] == [
            ("outcomes", "changed")
        ]

    def test_the_newest_outcome_of_somebody_counts(
        self, engine: Engine, model: ServedModel, command: Command, tmp_path: Path
    ) -> None:
        predicted(engine, model, year(1, 1).records, days_ago(90))
        for known, left_on in ((9, None), (2, TODAY - timedelta(days=5))):
            day = TODAY - timedelta(days=known)
            file = written(tmp_path, [{"id": 0, "left_on": left_on, "known_until": day}])
            assert command("outcomes", file).exit_code == 0
        done = command("monitor", "performance", "--json")
        assert json.loads(done.output)["whole"]["leavers"] == 1
        assert done.exit_code == 4

    def test_ids_are_stored_as_the_predictions_have_them(
        self,
        engine: Engine,
        model: ServedModel,
        command: Command,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        hidden = pseudonymizer(KEY)
        predicted(engine, model, year(1, 1).records, days_ago(90), hidden)
        file = written(tmp_path, [{"id": 0, "left_on": None}])
        refused = command("outcomes", file, "--known-until", TODAY)
        assert refused.exit_code == 3
        assert "row 2: the journal keeps pseudonyms only: set the CHURN_PSEUDONYM_KEY" in refused.output
        monkeypatch.setenv("CHURN_PSEUDONYM_KEY", KEY)
        assert command("outcomes", file, "--known-until", TODAY).exit_code == 0
        assert stored(engine) == [(hidden("0"), None, TODAY)]


def test_what_cannot_be_right_is_listed_and_the_rest_is_taken(
    engine: Engine, model: ServedModel, command: Command, tmp_path: Path
) -> None:
    predicted(engine, model, year(9, 1).records, days_ago(90))
    rows = [
        (0, TODAY - timedelta(days=5), TODAY),
        (99, None, TODAY),
        (1, TODAY - timedelta(days=91), TODAY),
        (0, None, TODAY),
        (2, None, TODAY + timedelta(days=2)),
        (3, TODAY - timedelta(days=1), TODAY - timedelta(days=2)),
        ("", None, TODAY),
        (4, "soon", TODAY),
        (5, "still here", TODAY),
    ]
    file = written(tmp_path, [dict(zip(("id", "left_on", "known_until"), row, strict=True)) for row in rows])
    done = command("outcomes", file)
    faults = {
        3: "no prediction about this employee",
        4: "before the first prediction",
        5: "another row is about the same employee",
        6: "a day is after today",
        7: "after the day until which this is known",
        8: "id is missing",
        9: "expected the leaving day",
    }
    listed = [line for line in done.output.splitlines() if line.startswith("  row ")]
    assert len(listed) == len(faults)
    for line, (row, says) in zip(listed, faults.items(), strict=True):
        assert line.startswith(f"  row {row}: ")
        assert says in line
    assert done.output.endswith("2 outcomes stored, 1 of them of leavers; 7 not taken\n")
    assert (done.exit_code, len(stored(engine))) == (0, 2)
    assert "soon" not in done.output


@pytest.mark.parametrize(
    ("columns", "options", "says"),
    [
        (("name", "left_on"), ("--known-until", "2026-01-31"), "a column of employees' ids"),
        (("id", "gone"), ("--known-until", "2026-01-31"), "a column of the days on which people left"),
        (("id", "left_on"), (), "or the option --known-until"),
    ],
)
def test_a_file_that_lacks_a_column_is_refused(
    engine: Engine,
    command: Command,
    tmp_path: Path,
    columns: tuple[str, str],
    options: tuple[str, ...],
    says: str,
) -> None:
    done = command(
        "outcomes", written(tmp_path, pd.DataFrame([[1, "2026-01-01"]], columns=columns)), *options
    )
    assert (done.exit_code, says in done.output, stored(engine)) == (1, True, [])


def test_days_that_can_be_read_in_two_ways_are_refused_until_somebody_says_which(
    engine: Engine, model: ServedModel, command: Command, tmp_path: Path
) -> None:
    predicted(engine, model, year(1, 1).records, datetime(2025, 12, 1, tzinfo=UTC))
    file = written(tmp_path, [{"id": 0, "left_on": "03/02/2026"}])
    known = "--known-until", "2026-06-30"
    done = command("outcomes", file, *known)
    assert (done.exit_code, "%d/%m/%Y and %m/%d/%Y" in done.output) == (1, True)
    assert command("outcomes", file, *known, "--date-format", "%d/%m/%Y").exit_code == 0
    assert stored(engine) == [("0", date(2026, 2, 3), date(2026, 6, 30))]


class TestPerformance:
    @pytest.fixture
    def followed(self, engine: Engine, model: ServedModel, command: Command, tmp_path: Path) -> Command:
        """Have outcomes of people predicted about long ago, and of others who are still followed."""
        for days, seed, first in ((LONG_AGO, 5, 0), (LATELY, 6, 1000)):
            people = year(300, seed, first)
            predicted(engine, model, people.records, days_ago(days))
            predicted(engine, model, people.records[:20], days_ago(days - 30))
            file = written(tmp_path, people.outcomes(days, first))
            done = command("outcomes", file, "--known-until", TODAY)
            assert done.exit_code == 0, done.output
        return command

    def test_a_year_of_outcomes_says_how_good_the_predictions_were(self, followed: Command) -> None:
        done = followed("monitor", "performance", "--json")
        assert done.exit_code == 0, done.output
        report = json.loads(done.output)
        whole = report["whole"]
        assert (report["employees"], report["known"], whole["rows"]) == (600, 600, 600)
        assert 30 <= report["repeats"] + report["late"] <= 40
        figures = whole["figures"]
        assert figures["rate"]["low"] < 0.16 < figures["rate"]["high"]
        assert figures["roc_auc"]["low"] > 0.65
        assert figures["excess"]["low"] < 0 < figures["excess"]["high"]
        months = {f"{days_ago(days):%Y-%m}" for days in (LONG_AGO, LATELY, LONG_AGO - 30, LATELY - 30)}
        assert {part["name"] for part in report["by_month"]} <= months
        assert {part["field"] for part in report["by_group"]} == set(TECHNOVA.audited)

    def test_it_fits_a_terminal_and_says_what_acting_does(
        self, followed: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("churn.cli.console.FILE_WIDTH", 80)
        done = followed("monitor", "performance")
        assert max(map(len, done.output.splitlines())) <= 80
        assert "Acting on a prediction changes what follows" in " ".join(done.output.split())
        french = followed("monitor", "performance", "--language", "fr").output
        assert "Agir sur une prédiction change la suite" in " ".join(french.split())

    def test_leavers_alone_are_told_as_such(
        self, engine: Engine, model: ServedModel, command: Command, tmp_path: Path
    ) -> None:
        people = year(60, 5)
        predicted(engine, model, people.records, days_ago(LONG_AGO))
        table = people.outcomes(LONG_AGO)
        command("outcomes", written(tmp_path, table[table["Date de départ"] != ""]), "--known-until", TODAY)
        done = command("monitor", "performance")
        assert done.exit_code == 4
        assert "record who is still here, too" in " ".join(done.output.split())
        assert "Nothing can be told" in done.output


def test_outcomes_are_shown_and_erased_with_the_person(
    engine: Engine, model: ServedModel, command: Command, tmp_path: Path
) -> None:
    predicted(engine, model, year(2, 1).records, days_ago(90))
    table: list[dict[str, Any]] = [
        {"id": 0, "left_on": TODAY - timedelta(days=5)},
        {"id": 1, "left_on": None},
    ]
    command("outcomes", written(tmp_path, table), "--known-until", TODAY)
    assert f"left on {TODAY - timedelta(days=5)}, known until {TODAY}" in command("data", "show", 0).output
    done = command("data", "erase", 0, "--yes")
    assert "1 outcomes erased with them" in done.output
    assert sorted(stored(engine), key=str) == [("1", None, TODAY), (None, None, None)]
    report = verify(engine)
    assert (report.findings, report.erased > 0) == ([], True)


def test_a_purge_empties_the_outcomes_of_people_of_whom_nothing_stays(
    engine: Engine, model: ServedModel, command: Command, tmp_path: Path
) -> None:
    predicted(engine, model, year(2, 1).records, days_ago(300))
    predicted(engine, model, year(1, 1).records, days_ago(10))
    table: list[dict[str, Any]] = [{"id": 0, "left_on": None}, {"id": 1, "left_on": None}]
    command("outcomes", written(tmp_path, table), "--known-until", TODAY)
    assert command("data", "purge", "--older-than", "200d", "--yes").exit_code == 0
    assert sorted(stored(engine), key=str) == [("0", None, TODAY), (None, None, None)]


def test_predictions_of_the_service_are_held_against_outcomes(
    served: Served, command: Command, tmp_path: Path
) -> None:
    for number in range(3):
        body = {**EXAMPLE, "employee_id": number}
        assert served.client.post("/predict", json=body).status_code == 200
    what_if = {"employee": {**EXAMPLE, "employee_id": 0}, "changes": {"heures_supp": "Non"}}
    assert served.client.post("/what_if", json=what_if).status_code == 200
    command("outcomes", written(tmp_path, [{"id": 0, "left_on": None}]), "--known-until", TODAY)
    report = json.loads(command("monitor", "performance", "--json").output)
    assert (report["employees"], report["known"], report["whole"]["rows"]) == (3, 1, 1)
    with served.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(employee_inputs)).scalar_one() == 5


class TestApi:
    def test_what_is_sent_is_stored_and_what_is_wrong_is_answered(
        self, served: Served, model: ServedModel
    ) -> None:
        predicted(served.engine, model, year(2, 1).records, days_ago(90))
        day = (TODAY - timedelta(days=5)).isoformat()
        rows = [
            {"employee_id": 0, "left_on": day, "known_until": TODAY.isoformat()},
            {"employee_id": "1", "known_until": TODAY.isoformat()},
            {"employee_id": "nobody", "left_on": None, "known_until": TODAY.isoformat()},
        ]
        answer = served.client.post("/outcomes", json={"outcomes": rows}, headers={"Accept-Language": "en"})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "stored": 2,
            "left": 1,
            "refused": [
                {
                    "position": 2,
                    "fault": "unscored",
                    "msg": "the journal has no prediction about this employee: check the id",
                }
            ],
        }
        assert sorted(stored(served.engine)) == [("0", TODAY - timedelta(days=5), TODAY), ("1", None, TODAY)]
        assert verify(served.engine).findings == []

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            ([], ["body"]),
            ({"outcomes": []}, ["body", "outcomes"]),
            ({"outcomes": [{"employee_id": 1}]}, ["body", "outcomes", 0, "known_until"]),
            (
                {"outcomes": [{"employee_id": 1, "known_until": "30.6.2026"}]},
                ["body", "outcomes", 0, "known_until"],
            ),
            (
                {"outcomes": [{"employee_id": True, "known_until": "2026-06-30"}]},
                ["body", "outcomes", 0, "employee_id"],
            ),
        ],
    )
    def test_a_body_that_holds_none_is_refused_with_the_place(
        self, served: Served, body: object, place: list[object]
    ) -> None:
        answer = served.client.post("/outcomes", json=body)
        assert (answer.status_code, [error["loc"] for error in answer.json()["detail"]]) == (422, [place])
        assert stored(served.engine) == []

    def test_who_may_not_read_the_history_may_not_say_either(self, served: Served) -> None:
        token = a_token(served.engine, "predicts", scopes=("predict",))
        answer = served.client.post(
            "/outcomes", json={"outcomes": []}, headers={"Authorization": bearer(token)}
        )
        assert answer.status_code == 403
