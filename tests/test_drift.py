"""Drift, through the served app and the command: what moved is told, and nothing else is."""

import json
import math
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bentoml
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from churn.cli.main import main
from churn.cli.monitor.drift import drift
from churn.core.language import Language
from churn.database.tables import prediction_results
from churn.dictionary.technova import TECHNOVA
from churn.model import registry
from churn.model.reference import Reference
from churn.model.registry import ServedModel
from churn.model.sample import make_employees
from churn.model.stored_reference import load_reference
from harness.identities import a_token, bearer
from tests.conftest import Served
from tests.support.predictions import FULL, erase, put, run

Report = dict[str, Any]

ENOUGH = 400  # employees: more than a look needs


def people(rows: int, seed: int = 11, **changed: Any) -> list[dict[str, Any]]:
    """Return employees like those the model learned from, but for some fields."""
    table = make_employees(rows, seed).drop(columns=[TECHNOVA.target.name]).assign(**changed)
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return records


def overtime(share: float, rows: int = ENOUGH) -> list[str]:
    """Return who works overtime, where such a share does."""
    return ["Oui" if row < share * rows else "Non" for row in range(rows)]


def predict(served: Served, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = served.client.post("/predict_batch", json=records)
    assert answer.status_code == 200, answer.text
    predictions: list[dict[str, Any]] = answer.json()
    return predictions


def look(served: Served, **parameters: object) -> Report:
    answer = served.client.get("/drift", params={name: str(value) for name, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    report: Report = answer.json()
    return report


def alarms(report: Report) -> list[str]:
    return [field["name"] for field in report["figures"]["fields"] if field["alarm"]]


def reference_of(model: ServedModel) -> Reference:
    reference = load_reference(model.tag)
    assert reference is not None
    return reference


class TestALook:
    def test_people_like_those_of_the_training_are_calm(self, served: Served) -> None:
        predict(served, people(ENOUGH))
        report = look(served)
        assert report["verdict"] == "calm", report["summary"]
        assert alarms(report) == []
        assert report["selection"]["rows"] == ENOUGH

    def test_a_field_that_moves_is_named_and_so_is_what_it_does_to_the_risk(self, served: Served) -> None:
        predict(served, people(ENOUGH, heure_supplementaires=overtime(0.6)))
        report = look(served)
        assert report["verdict"] == "drift"
        assert "heure_supplementaires" in alarms(report)
        by_size = sorted(report["figures"]["fields"], key=lambda field: -abs(field["contribution"]["change"]))
        assert by_size[0]["name"] == "heure_supplementaires"
        assert by_size[0]["contribution"]["change"] > 0.1
        assert report["figures"]["flagged"]["change"] > 0.05
        label = TECHNOVA.by_name["heure_supplementaires"].label("fr")
        assert label in report["summary"]

    def test_a_field_that_is_no_longer_filled_in_is_named(self, served: Served) -> None:
        unknown = [None if row % 10 == 0 else 2 for row in range(ENOUGH)]
        predict(served, people(ENOUGH, niveau_education=unknown))
        report = look(served)
        [education] = [f for f in report["figures"]["fields"] if f["name"] == "niveau_education"]
        assert education["alarm"]
        assert (education["unknown_before"], education["unknown"]) == (0, 0.1)

    def test_the_fields_add_up_to_the_change_of_the_mean_log_odds(
        self, served: Served, model: ServedModel
    ) -> None:
        answers = predict(served, people(ENOUGH, heure_supplementaires=overtime(0.5)))
        figures = look(served)["figures"]
        total = math.fsum(field["contribution"]["change"] for field in figures["fields"])
        assert abs(total - figures["log_odds"]["change"]) < 1e-9
        odds = [a["probability"] / (1 - a["probability"]) for a in answers]
        mean = math.fsum(map(math.log, odds)) / len(odds)
        assert abs(figures["log_odds"]["window"] - mean) < 1e-9
        flagged = sum(answer["prediction"] for answer in answers) / len(answers)
        assert figures["flagged"]["window"] == flagged
        assert figures["flagged"]["reference"] == reference_of(model).flagged / 600

    def test_beyond_the_range_is_told_as_a_share(self, served: Served) -> None:
        distance = [25 if row % 4 else 80 for row in range(ENOUGH)]
        predict(served, people(ENOUGH, distance_domicile_travail=distance))
        fields = {field["name"]: field for field in look(served)["figures"]["fields"]}
        assert fields["distance_domicile_travail"]["beyond"] == 0.25
        assert fields["poste"]["beyond"] == 0


class TestTooFewRows:
    def test_nothing_is_told_and_how_many_would(self, served: Served, model: ServedModel) -> None:
        predict(served, people(31))
        report = look(served)
        assert report["verdict"] == "too_few"
        enough = report["figures"]["enough_rows"]
        assert 31 < enough < ENOUGH
        assert str(enough) in report["summary"]
        assert "31" in report["summary"]

    def test_a_window_without_predictions_is_empty(self, served: Served) -> None:
        report = look(served)
        assert report["verdict"] == "empty"
        assert report["figures"]["log_odds"] is None

    def test_one_prediction_is_too_few(self, served: Served) -> None:
        served.client.post("/predict", json=FULL)
        report = look(served)
        assert (report["verdict"], report["selection"]["rows"]) == ("too_few", 1)

    def test_more_looks_ask_for_more_rows(self, served: Served) -> None:
        predict(served, people(31))
        daily, monthly = (look(served, looks=looks)["figures"]["enough_rows"] for looks in (366, 12))
        assert daily > monthly


class TestWhichRows:
    def test_an_employee_counts_once_by_the_last_prediction(self, served: Served) -> None:
        for hours in ("Oui", "Oui", "Non"):
            served.client.post("/predict", json={**FULL, "heure_supplementaires": hours})
        report = look(served)
        assert (report["selection"]["rows"], report["selection"]["repeats"]) == (1, 2)
        answer = served.client.post("/predict", json={**FULL, "heure_supplementaires": "Non"}).json()
        probability = answer["probability"]
        expected = math.log(probability / (1 - probability))
        assert abs(report["figures"]["log_odds"]["window"] - expected) < 1e-9

    def test_who_has_no_id_counts_each_time_and_that_is_said(self, served: Served) -> None:
        nobody = {name: value for name, value in FULL.items() if name != "employee_id"}
        for _ in range(3):
            served.client.post("/predict", json=nobody)
        report = look(served)
        assert (report["selection"]["rows"], report["selection"]["nameless"]) == (3, 3)
        assert any("identifiant" in note for note in report["notes"])

    def test_what_somebody_would_be_is_left_out(self, served: Served) -> None:
        question = {"employee": FULL, "changes": {"heure_supplementaires": "Non"}}
        served.client.post("/what_if", json=question)
        selection = look(served)["selection"]
        assert (selection["rows"], selection["hypothetical"]) == (1, 1)

    def test_erased_and_broken_rows_are_left_out_and_counted(self, served: Served) -> None:
        ids = [
            served.client.post("/predict", json={**FULL, "employee_id": one}).json()["prediction_id"]
            for one in range(5)
        ]
        keys = [uuid.UUID(key) for key in ids]
        erase(served.engine, keys[0])
        put(served.engine, "features", "contributions", keys[1], '{"poste": 1}')
        put(served.engine, "features", "contributions", keys[2], '"no object"')
        selection = look(served)["selection"]
        assert (selection["rows"], selection["erased"], selection["unreadable"]) == (2, 1, 2)

    def test_last_takes_the_newest_employees(self, served: Served) -> None:
        predict(served, people(40))
        predict(served, people(20, seed=12, heure_supplementaires="Oui", employee_id=range(10_000, 10_020)))
        report = look(served, last=20)
        assert report["selection"]["rows"] == 20
        [hours] = [f for f in report["figures"]["fields"] if f["name"] == "heure_supplementaires"]
        assert hours["contribution"]["window"] > hours["contribution"]["reference"]
        assert look(served, last=30)["selection"]["rows"] == 30

    def test_a_period_bounds_the_window(self, served: Served) -> None:
        predict(served, people(10))
        now = datetime.now(UTC)
        assert look(served, since=now.isoformat())["verdict"] == "empty"
        assert look(served, until=now.isoformat())["selection"]["rows"] == 10
        later = (now + timedelta(days=1)).isoformat()
        report = look(served, since="2020-01-01", until=later)
        assert report["selection"]["rows"] == 10
        assert report["since"] == "2020-01-01T00:00:00Z"
        selection = report["selection"]
        assert datetime.fromisoformat(selection["first"]) <= datetime.fromisoformat(selection["last"]) <= now


@pytest.fixture
def older(model: ServedModel) -> Iterator[str]:
    """Return the tag of a model that was exported before there were references."""
    folder = Path(registry.find(model.tag).path_of("/"))
    with bentoml.models.create(registry.NAME, module="bentoml.sklearn", metadata={}) as entry:
        for path in folder.glob("*.json"):
            if path.name != registry.REFERENCE:
                Path(entry.path_of(path.name)).write_bytes(path.read_bytes())
    yield str(entry.tag)
    bentoml.models.delete(entry.tag)


def predicted_by(served: Served, tag: str, records: list[dict[str, Any]]) -> None:
    """Predict, and have the journal say that a model of this tag did."""
    keys = [uuid.UUID(answer["prediction_id"]) for answer in predict(served, records)]
    own = prediction_results.c.id.in_(keys)
    with served.engine.begin() as connection:
        connection.execute(update(prediction_results).where(own).values(model=tag))


class TestModels:
    def test_each_is_looked_at_by_itself(self, served: Served, damaged: str) -> None:
        predict(served, people(60))
        predicted_by(served, damaged, people(40, seed=12))
        report = look(served)
        assert (report["selection"]["rows"], report["other_models"]) == (60, [damaged])
        assert any(damaged in note for note in report["notes"])
        other = look(served, model=damaged)
        assert (other["model"], other["selection"]["rows"]) == (damaged, 40)
        assert other["other_models"] == [report["model"]]

    def test_one_that_is_older_than_references_says_what_it_lacks(self, served: Served, older: str) -> None:
        predicted_by(served, older, people(5))
        report = look(served, model=older)
        assert (report["verdict"], report["figures"]) == ("no_reference", None)
        assert "churn train" in report["summary"]
        result = run(drift, "--model", older)
        assert (result.exit_code, "churn train" in result.output) == (4, True)

    def test_one_whose_reference_is_damaged_is_named(self, served: Served, older: str) -> None:
        Path(registry.locate(older)[1], registry.REFERENCE).write_text('{"format": 1}', encoding="utf-8")
        assert served.client.get("/drift", params={"model": older}).status_code == 503
        result = CliRunner().invoke(main, ["monitor", "drift", "--model", older])
        assert (result.exit_code, older in result.output, "damaged" in result.output) == (1, True, True)

    @pytest.mark.parametrize("tag", ["churn:nobody", "../../etc", "churn:..", "churn:latest"])
    def test_one_that_is_not_there_is_refused(self, served: Served, tag: str) -> None:
        answer = served.client.get("/drift", params={"model": tag})
        [error] = answer.json()["detail"]
        assert (answer.status_code, error["loc"], error["type"]) == (422, ["query", "model"], "model_tag")
        assert tag not in answer.text


class TestTheMetrics:
    def test_they_have_the_last_look_at_the_week(self, served: Served, model: ServedModel) -> None:
        predict(served, people(ENOUGH, heure_supplementaires=overtime(0.6)))
        look(served)
        look(served, last=10)  # for who asked, and nobody else
        figures = figures_of(served, model.tag)
        assert figures["churn_drift_rows"] == ENOUGH
        assert figures["churn_drift_moved"] == 2
        assert figures["churn_drift_log_odds_change"] > 0.1
        assert figures["churn_drift_flagged_change"] > 0.05

    def test_of_few_people_they_have_no_mean(self, served: Served, model: ServedModel) -> None:
        predict(served, people(2))
        look(served)
        figures = figures_of(served, model.tag)
        assert figures["churn_drift_rows"] == 2
        assert math.isnan(figures["churn_drift_log_odds_change"])


def figures_of(served: Served, tag: str) -> dict[str, float]:
    """Return the figures of the drift of one model."""
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(served.client.get("/metrics").text)
        for sample in family.samples
        if sample.name.startswith("churn_drift") and sample.labels["model"] == tag
    }


class TestTheCommand:
    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_it_tells_the_same_in_eighty_columns(
        self, served: Served, monkeypatch: pytest.MonkeyPatch, language: Language
    ) -> None:
        label = TECHNOVA.by_name["heure_supplementaires"].label(language)
        predict(served, people(ENOUGH, heure_supplementaires=overtime(0.6)))
        monkeypatch.setattr("churn.cli.console.FILE_WIDTH", 80)
        result = run(drift, "--language", language)
        assert result.exit_code == 3, result.output
        lines = result.output.splitlines()
        assert max(map(len, lines)) <= 80
        assert any(line.strip().startswith(label) and "*" in line for line in lines), result.output
        assert "█" in result.output

    def test_its_json_is_what_the_route_answers(self, served: Served) -> None:
        predict(served, people(ENOUGH))
        result = run(drift, "--json", "--last", ENOUGH, "--language", "fr")
        assert result.exit_code == 0
        assert json.loads(result.output) == look(served, last=ENOUGH)

    def test_too_few_rows_have_an_exit_code_of_their_own(self, served: Served) -> None:
        assert run(drift).exit_code == 4
        predict(served, people(5))
        assert run(drift).exit_code == 4

    def test_a_period_in_days_includes_the_last_one(self, served: Served) -> None:
        predict(served, people(5))
        today = datetime.now(UTC).date()
        plain = json.loads(
            run(drift, "--json", "--since", today - timedelta(days=1), "--until", today).output
        )
        assert plain["selection"]["rows"] == 5
        yesterday = today - timedelta(days=1)
        assert json.loads(run(drift, "--json", "--until", yesterday).output)["verdict"] == "empty"


MALFORMED = [
    ("last", "0", "row_count"),
    ("last", "10001", "row_count"),
    ("last", "9" * 5000, "row_count"),
    ("looks", "0", "looks"),
    ("looks", "367", "looks"),
    ("looks", "weekly", "looks"),
    ("since", "yesterday", "moment"),
    ("until", "2026-02-30", "moment"),
    ("model", "x" * 129, "name"),
    ("employee_id", "1", "unknown_parameter"),
]


class TestRefusals:
    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_a_malformed_parameter_is_named(self, served: Served, language: str) -> None:
        for name, value, kind in MALFORMED:
            answer = served.client.get("/drift", params={name: value}, headers={"Accept-Language": language})
            [error] = answer.json()["detail"]
            assert (answer.status_code, error["loc"], error["type"]) == (422, ["query", name], kind)
            assert error["msg"] not in ("invalid value", "valeur invalide")

    def test_a_token_without_the_scope_is_refused(self, served: Served) -> None:
        token = a_token(served.engine, "predicts", scopes=("predict",))
        answer = served.client.get("/drift", headers={"Authorization": bearer(token)})
        assert answer.status_code == 403

    def test_nobody_is_in_the_answer(self, served: Served) -> None:
        served.client.post("/predict", json={**FULL, "employee_id": "E-4711", "revenu_mensuel": 3217.55})
        text = served.client.get("/drift").text
        assert "E-4711" not in text
        assert "3217.55" not in text
