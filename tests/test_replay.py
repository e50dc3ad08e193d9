"""The past, predicted again: what the service logged comes out the same, and what was touched does not."""

import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from churn.cli.data.replay import replay
from churn.cli.main import main
from churn.dictionary.dictionary import Dictionary
from churn.model import registry
from churn.model.registry import ServedModel
from churn.records import predictions as pages
from churn.records.predictions import count, logged
from churn.records.replay import MOST_LISTED
from tests.conftest import Served
from tests.support import predictions
from tests.support.predictions import erase, predict, put, rewrite, run, sql


def told(result: Result) -> dict[str, str]:
    """Return the parts that differ, by prediction."""
    return dict(re.findall(r"^  ([0-9a-f-]{36}): (.+)$", result.output, re.MULTILINE))


def same(result: Result) -> int:
    [number] = re.findall(r"^([\d,]+) predictions come out as they were logged$", result.output, re.MULTILINE)
    return int(number.replace(",", ""))


def test_what_was_served_comes_out_the_same(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = predict(served)
    loaded: list[str] = []
    load = registry.load

    def counted(tag: str, dictionary: Dictionary) -> ServedModel:
        loaded.append(tag)
        return load(tag, dictionary)

    monkeypatch.setattr(registry, "load", counted)
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    result = run(replay)
    assert (result.exit_code, same(result), told(result)) == (0, len(ids), {})
    assert len(loaded) == 1


def test_what_was_scored_from_a_file_comes_out_the_same(
    engine: Engine, model: ServedModel, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    arguments = ["score", str(sample), "-o", str(tmp_path / "out.parquet"), "--journal", "--model", model.tag]
    scored = CliRunner().invoke(main, arguments)
    assert scored.exit_code == 0, scored.output
    result = run(replay)
    assert (result.exit_code, same(result), told(result)) == (0, 600, {})
    *_, one = logged(engine)
    sql(engine, "UPDATE prediction_results SET probability = probability + 2e-9", one.prediction_id)
    assert told(run(replay)) == {str(one.prediction_id): "probability"}


class TestTampering:
    def found(self, served: Served) -> dict[str, str]:
        result = run(replay)
        assert result.exit_code == 1
        return told(result)

    def test_each_number_of_a_result(self, served: Served) -> None:
        one, two, three, four, *_ = predict(served)
        last_digit = "UPDATE prediction_results SET probability = probability + 1e-15"
        sql(served.engine, last_digit, one)
        sql(served.engine, "UPDATE prediction_results SET prediction = 1 - prediction", two)
        sql(served.engine, "UPDATE prediction_results SET threshold = 0.99", three)
        sql(served.engine, "UPDATE features SET base_value = 0", four)
        assert self.found(served) == {
            str(one): "probability",
            str(two): "prediction",
            str(three): "threshold",
            str(four): "base value",
        }

    def test_a_contribution(self, served: Served) -> None:
        _, one, *_ = predict(served)
        rewrite(served.engine, "features", "contributions", one, heure_supplementaires=1.25)
        assert self.found(served) == {str(one): "contributions"}

    def test_a_value_of_a_record(self, served: Served) -> None:
        *_, one = predict(served)
        rewrite(served.engine, "employee_inputs", "record", one, heure_supplementaires="Oui")
        [(found, parts)] = self.found(served).items()
        assert found == str(one)
        assert {"values", "contributions", "probability"} <= set(parts.split(", "))

    @pytest.mark.parametrize("value", [["Oui"], "Oui", {}, None])
    def test_a_record_that_cannot_be_scored_and_names_no_value(self, served: Served, value: object) -> None:
        one, *_ = predict(served)
        rewrite(served.engine, "employee_inputs", "record", one, revenu_mensuel=value)
        result = run(replay)
        assert (result.exit_code, list(told(result))) == (1, [str(one)])
        assert "Oui" not in result.output

    def test_a_record_that_is_none(self, served: Served) -> None:
        one, *_ = predict(served)
        put(served.engine, "employee_inputs", "record", one, "[]")
        assert self.found(served) == {str(one): "record"}

    def test_text_that_is_no_document(self, served: Served) -> None:
        if served.engine.dialect.name == "postgresql":
            return  # its type refuses such text
        one, *_ = predict(served)
        put(served.engine, "employee_inputs", "record", one, "{")
        assert self.found(served) == {str(one): "record"}

    def test_an_input_that_is_gone_is_not_taken_for_erased(self, served: Served) -> None:
        one, *_ = predict(served)
        sql(served.engine, "DELETE FROM employee_inputs", one)
        assert self.found(served) == {str(one): "record"}

    def test_many_are_counted_and_the_first_are_named(self, served: Served) -> None:
        served.client.post("/predict_batch", json=[predictions.FULL] * (MOST_LISTED + 3))
        with served.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE prediction_results SET threshold = 0.99")
        result = run(replay)
        assert (result.exit_code, len(told(result))) == (1, MOST_LISTED)
        assert f"{MOST_LISTED + 3} come out DIFFERENT" in result.output
        assert "… and 3 more" in result.output


def test_the_erased_are_counted(served: Served) -> None:
    ids = predict(served)
    erase(served.engine, ids[2])
    result = run(replay)
    assert (result.exit_code, same(result)) == (0, len(ids) - 1)
    assert "1 erased, so not replayed" in result.output


@pytest.mark.parametrize("gone", ["churn:gone", "churn:latest", ""])
def test_a_model_that_is_not_in_the_store_is_named(served: Served, gone: str) -> None:
    ids = predict(served)
    sql(served.engine, "UPDATE prediction_results SET model = :gone", ids[1], gone=gone)
    result = run(replay)
    assert (result.exit_code, same(result)) == (0, len(ids) - 1)
    assert f"1 not replayed: their model {gone} is not in the store" in result.output


def test_a_model_that_fails_its_self_test_is_used_and_named(served: Served, damaged: str) -> None:
    one, *others = predict(served)
    sql(served.engine, "UPDATE prediction_results SET model = :damaged", one, damaged=damaged)
    result = run(replay)
    assert (result.exit_code, same(result), list(told(result))) == (1, len(others), [str(one)])
    assert f"note: {damaged} fails its self-test: " in result.output


def test_the_newest_and_the_days(served: Served) -> None:
    ids = predict(served)
    sql(served.engine, "UPDATE prediction_results SET threshold = 0.99", ids[0])
    newest = run(replay, "--limit", 3)
    assert (newest.exit_code, same(newest)) == (0, 3)
    today = datetime.now(UTC).date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    assert same(run(replay, "--until", yesterday)) == same(run(replay, "--since", tomorrow)) == 0
    assert same(run(replay, "--since", yesterday, "--until", tomorrow)) == len(ids) - 1
    assert (
        run(replay, "--since", "0001-01-01").exit_code == run(replay, "--until", "9999-12-31").exit_code == 2
    )


def test_what_was_logged_comes_in_pages_each_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = predict(served)
    for size in (1, 3, len(ids), 100):
        monkeypatch.setattr(pages, "PAGE_ROWS", size)
        assert [one.prediction_id for one in logged(served.engine)] == ids
        assert [one.prediction_id for one in logged(served.engine, newest_first=True)] == ids[::-1]
        assert [one.prediction_id for one in logged(served.engine, limit=5)] == ids[:5]
    assert (count(served.engine), count(served.engine, limit=5)) == (len(ids), 5)
    assert Counter(one.route for one in logged(served.engine)) == {
        "/predict": 1,
        "/predict_batch": 4,
        "/what_if": 2,
    }


def test_since_is_included_and_until_is_not(served: Served) -> None:
    ids = predict(served)
    moments = [datetime.fromtimestamp((one.int >> 80) / 1000, UTC) for one in ids]

    def made(since: datetime, until: datetime) -> list[uuid.UUID]:
        return [one.prediction_id for one in logged(served.engine, since, until)]

    assert made(moments[0], moments[1]) == ids[:1]
    assert made(moments[1], moments[-1] + timedelta(milliseconds=1)) == ids[1:]
