"""`churn score`, through the command line: files, journal, summary, and a run that is ended."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select, text

from churn.batch.run import Files, Run
from churn.batch.run_journal import RunJournal
from churn.cli.main import main
from churn.core.errors import DatabaseError
from churn.database import schema
from churn.database.engine import make_engine
from churn.database.tables import (
    JOURNAL,
    api_responses,
    employee_inputs,
    features,
    prediction_results,
    requests,
)
from churn.dictionary.technova import TECHNOVA
from churn.ingest import parquet_reader
from churn.ingest.flat import FlatTable
from churn.journal.writer import Writer
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from tests.support.company import MODELS
from tests.support.tables import employees, read, write


@pytest.fixture(autouse=True)
def _served(model: ServedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURN_MODEL", model.tag)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Return an engine on a SQLite database at head, which the environment names."""
    (tmp_path / "db").mkdir()
    url = f"sqlite:///{tmp_path / 'db' / 'churn.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    engine = make_engine(url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


def score(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


def test_scores_a_file_and_says_what_it_did(tmp_path: Path, model: ServedModel) -> None:
    table = employees(30).astype({"poste": object}).drop(columns="genre")
    table.loc[4, "poste"] = "Astronaute"
    source = write(tmp_path / "in.csv", table.assign(a_quitte_l_entreprise="Oui"))
    result = score(source, "-o", tmp_path / "out.csv")
    rows = read(tmp_path / "out.csv")
    flagged = sum(row["prediction"] == "1" for row in rows)
    assert result.exit_code == 0
    assert "note: a_quitte_l_entreprise is what the model predicts: ignored" in result.output
    assert f"29 rows scored by {model.tag}, {flagged} flagged" in result.output
    assert f"1 row rejected: {tmp_path}/out.rejects.csv says why" in result.output
    assert "not journalled" in result.output
    assert f"scores are in {tmp_path}/out.csv" in result.output
    assert "Scoring" in result.output
    assert "30 rows" in result.output
    assert "Astronaute" not in result.output
    assert [row["value"] for row in read(tmp_path / "out.rejects.csv")] == ["Astronaute"]


def test_options(tmp_path: Path, model: ServedModel) -> None:
    source = write(tmp_path / "in.parquet", employees(10).assign(shoe_size=42, age=9))
    options = ("--rejects", tmp_path / "bad.csv", "--ignore-column", "Shoe_Size", "--model", model.tag)
    assert score(source, "-o", tmp_path / "out.parquet", "--language", "en", *options).exit_code == 3
    assert len(read(tmp_path / "bad.csv")) == 10
    again = score(source, "-o", tmp_path / "out.parquet", *options)
    assert (again.exit_code, "add --overwrite" in again.output) == (1, True)
    assert score(source, "-o", tmp_path / "out.parquet", "--overwrite", *options).exit_code == 3


def test_language(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", employees(10))
    score(source, "-o", tmp_path / "fr.csv")
    score(source, "-o", tmp_path / "en.csv", "--language", "en")
    assert all(row["reason_1"].endswith("le risque") for row in read(tmp_path / "fr.csv"))
    assert all(row["reason_1"].endswith("the risk") for row in read(tmp_path / "en.csv"))


def test_scores_a_folder_of_extracts(tmp_path: Path, sample: Path) -> None:
    result = score(sample, "-o", tmp_path / "out.parquet")
    assert "600 rows scored" in result.output
    assert len(read(tmp_path / "out.parquet")) == 600


def test_a_model_that_fails_its_self_test_scores_nothing(tmp_path: Path, damaged: str) -> None:
    source = write(tmp_path / "in.csv", employees(3))
    result = score(source, "-o", tmp_path / "out.csv", "--model", damaged)
    assert (result.exit_code, f"model {damaged} failed its self-test" in result.output) == (1, True)
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv"}


def test_strict_ends_with_one_sentence_and_no_file(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", employees(10).assign(age=[17] + [40] * 9))
    result = score(source, "-o", tmp_path / "out.csv", "--strict")
    assert result.exit_code == 2
    assert "churn: 1 problem in the data:\n  in.csv: row 1, age: an integer from 18 to 70" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv"}


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    result = score(write(tmp_path / "in.csv", employees(3).assign(x=1)), "-o", tmp_path / "out.csv")
    assert (result.exit_code, "in.csv:1: x: no such column" in result.output) == (1, True)


class TestJournal:
    def test_has_each_scored_row_as_the_service_logs_it(
        self, database: Engine, tmp_path: Path, model: ServedModel
    ) -> None:
        table = employees(1203).head(300)
        table = pd.concat([table] * 5, ignore_index=True).head(1203).astype({"poste": object})
        table.loc[0, "poste"] = None
        source = write(tmp_path / "in.csv", table.drop(columns="departement"))
        result = score(source, "-o", tmp_path / "out.csv", "--journal")
        assert "\njournalled in the database\n" in result.output
        rows = read(tmp_path / "out.csv")
        with database.connect() as connection:
            logged = {
                t.name: connection.execute(select(t).order_by(*t.primary_key)).mappings().all()
                for t in JOURNAL
            }
        asked = logged[requests.name]
        assert [(r["method"], r["route"], r["caller_kind"]) for r in asked] == [
            ("CLI", "churn score", "operator")
        ] * 2
        assert all(r["caller_name"] for r in asked)
        assert [r["body"] for r in logged[api_responses.name]] == [
            {"rows": 1000, "model": model.tag},
            {"rows": 203, "model": model.tag},
        ]
        results = {str(r["id"]): r for r in logged[prediction_results.name]}
        assert {row["prediction_id"] for row in rows} == set(results)
        assert {row["journalled"] for row in rows} == {"true"}
        inputs = {r["id"]: r for r in logged[employee_inputs.name]}
        seen = {r["id"]: r for r in logged[features.name]}
        for row in rows[:50]:
            result_row = results[row["prediction_id"]]
            assert result_row["probability"] == float(row["probability"])
            record = inputs[result_row["id"]]["record"]
            assert inputs[result_row["id"]]["employee_id"] == row["employee_id"]
            # What was logged is what the API would have cleaned and seen.
            [again] = Scorer(model).score([MODELS.employee.model_validate(record)])
            assert dict(again.record) == record
            assert set(record) == {field.name for field in TECHNOVA.inputs}
            kinds = {name: type(value) for name, value in again.record.items() if value is not None}
            assert kinds == {name: type(value) for name, value in record.items() if value is not None}
            logged_features = seen[result_row["id"]]
            assert logged_features["values"] == again.values
            assert logged_features["contributions"] == pytest.approx(again.contributions, abs=1e-9)

    def test_not_asked_for_is_not_written(self, database: Engine, tmp_path: Path) -> None:
        score(write(tmp_path / "in.csv", employees(3)), "-o", tmp_path / "out.csv")
        with database.connect() as connection:
            assert not connection.execute(select(requests)).all()

    def test_that_fails_in_the_middle_leaves_no_scores(
        self, database: Engine, tmp_path: Path, model: ServedModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(parquet_reader, "BATCH_ROWS", 100)
        source = write(tmp_path / "in.parquet", employees())

        def break_the_database(rows: int, share: float) -> None:
            with database.begin() as connection:
                connection.execute(text("DROP TABLE api_responses"))

        run = Run(model, "fr", run_journal=RunJournal(Writer(database), model))
        with pytest.raises(DatabaseError, match="run `churn db check`"):
            run.score(
                FlatTable(source, TECHNOVA), Files(tmp_path / "o.csv", tmp_path / "r.csv"), break_the_database
            )
        assert {path.name for path in tmp_path.iterdir()} == {"db", "in.parquet"}
        with database.connect() as connection:
            assert len(connection.execute(select(prediction_results)).all()) == 100

    def test_a_database_without_schema_is_refused_before_anything(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'churn.db'}")
        result = score(write(tmp_path / "in.csv", employees(3)), "-o", tmp_path / "out.csv", "--journal")
        assert (result.exit_code, "run `churn db upgrade`" in result.output) == (1, True)
        assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_half_file(tmp_path: Path, model: ServedModel, ended_by: int) -> None:
    source = write(tmp_path / "in.parquet", pd.concat([employees()] * 10_000))
    command = [sys.executable, "-m", "churn.cli.main", "score", str(source), "-o", str(tmp_path / "out.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        while not any(path.stat().st_size for path in tmp_path.glob(".out.csv.*.part")):
            assert run.poll() is None, run.communicate()[0]
        run.send_signal(ended_by)
        output, _ = run.communicate()
    assert run.returncode == 1, output
    assert "Traceback" not in output
    assert "Aborted!" in output
    assert {path.name for path in tmp_path.iterdir()} == {"in.parquet"}
