"""`churn train --dictionary`: a company that is not TechnoVa, from one table or from several joined files."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bentoml
import httpx2
import pandas as pd
import pytest

from churn.backend import Backend
from churn.cli.deploy import example_in
from churn.core.errors import DictionaryError, ModelError
from churn.database.tables import employee_inputs, features, prediction_results
from churn.dictionary.technova import TECHNOVA
from churn.model import portable, promotions, registry
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from harness.identities import a_user
from harness.servers import PROJECT, bentoml_serve, environment
from tests.conftest import Served
from tests.support.crew import CREW, ROWS, employees, write_dictionary
from tests.support.jobs import awaited, csv_of, send
from tests.support.own_company import churn, quickly, stored, train
from tests.support.pages import send as send_form
from tests.support.pages import sign_in, values_in, words

__all__ = ["quickly"]  # a fixture

TOKEN = "kJ3vX9qLm2Rt8wZbYc5N"
USER = ("marie", "correct horse")


@pytest.fixture(scope="module")
def trained(
    model: ServedModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServedModel, str]]:
    """Return the crew's model, from one table, and what its training said."""
    folder, before = tmp_path_factory.mktemp("crew"), stored()
    employees().to_csv(folder / "crew.csv", index=False)
    done = train(folder / "crew.csv", write_dictionary(folder), "--cost-miss", "2")
    assert done.exit_code == 0, done.output
    [tag] = stored() - before
    yield registry.load(tag, TECHNOVA), done.output
    bentoml.models.delete(tag)


def technovas(text: str) -> list[str]:
    """Return the fields of TechnoVa that a text names."""
    names = (field.name for field in TECHNOVA.fields if field.name.count("_") > 1)
    return [name for name in names if name in text]


class TestOneTable:
    def test_the_dictionary_travels_with_the_model(self, trained: tuple[ServedModel, str]) -> None:
        served = trained[0]
        assert served.dictionary.name == "crew"
        assert [field.name for field in served.fields] == ["pay", "team", "hired", "nights"]
        assert served.self_test.passed
        assert served.report["left_out"] == ["sex"]

    def test_categories_are_learned_and_the_rare_ones_are_others(
        self, trained: tuple[ServedModel, str]
    ) -> None:
        served, said = trained
        team = served.dictionary.by_name["team"]
        assert set(team.categories) == {"Deck", "Engine", "Galley", "other teams"}
        assert team.categories[-1] == "other teams"
        assert (team.category("DECK"), team.category("Bridge")) == ("Deck", "other teams")
        counts = employees()["team"].str.title().value_counts()
        assert "note: team: 3 categories learned; 1 rarer value, of " + str(counts["Bridge"]) in said

    def test_a_date_counts_in_years_and_what_was_learned_is_used(
        self, trained: tuple[ServedModel, str]
    ) -> None:
        served = trained[0]
        assert served.dictionary.by_name["hired"].years_since("30/06/2016") == 10.0
        low, high = served.seen["hired"]
        assert 0 < low < 1
        assert 20 < high < 25
        record = {"pay": 5000.0, "team": "Deck", "hired": 3.0, "nights": "Yes"}
        by_night, by_day = (
            Scorer(served).score_record(
                dict.fromkeys(served.dictionary.by_name) | record | {"nights": nights}
            )
            for nights in ("Yes", "No")
        )
        assert by_night.probability > by_day.probability + 0.3

    def test_its_report_names_its_own_fields(self, trained: tuple[ServedModel, str], tmp_path: Path) -> None:
        done = churn("model", "show", trained[0].tag, "--out", str(tmp_path))
        assert done.exit_code == 0
        text = (tmp_path / "report.fr.html").read_text(encoding="utf-8")
        assert "Travail de nuit" in text
        assert not [
            field.name for field in TECHNOVA.fields if field.name.count("_") > 1 and field.name in text
        ]

    def test_a_file_is_scored_by_it(self, trained: tuple[ServedModel, str], tmp_path: Path) -> None:
        employees(20).drop(columns="gone").to_csv(tmp_path / "crew.csv", index=False)
        out = tmp_path / "scores.csv"
        done = churn("score", str(tmp_path / "crew.csv"), "-o", str(out), "--model", trained[0].tag)
        assert done.exit_code == 0, done.output
        assert "20 rows scored" in done.output
        assert "Travail de nuit" in out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('served') / 'churn.db'}"


@pytest.fixture(scope="module")
def client(trained: tuple[ServedModel, str], database: str) -> Iterator[httpx2.Client]:
    env = environment(
        DATABASE_URL=database,
        CHURN_MODEL=trained[0].tag,
        API_TOKEN=TOKEN,
        API_USERNAME=USER[0],
        API_PASSWORD=USER[1],
    )
    with bentoml_serve(env) as server, httpx2.Client(base_url=server.url) as client:
        yield client


class TestServed:
    """A real `bentoml serve` of the crew's model: all that it says is about the crew."""

    @staticmethod
    def ask(client: httpx2.Client, path: str, body: object) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": "en"}
        return client.post(path, json=body, headers=headers)

    def test_a_record_of_its_own_fields_is_answered(self, client: httpx2.Client) -> None:
        record = {"Pay": 4000, "Embauche": "15/01/2026", "nights": "oui", "team": "Laundry", "badge": 12}
        answer = self.ask(client, "/predict", record).raise_for_status().json()
        assert answer["probability"] > 0.5
        assert {reason["field"] for reason in answer["reasons"]} <= {"pay", "team", "hired", "nights"}
        assert "Night shifts: Yes, raises the risk" in [reason["text"] for reason in answer["reasons"]]
        iso = self.ask(client, "/predict", record | {"Embauche": "2026-01-15", "team": "Bridge"}).json()
        assert iso["probability"] == answer["probability"]

    def test_what_is_refused_names_what_it_expects(self, client: httpx2.Client) -> None:
        refused = self.ask(
            client, "/predict", {**TECHNOVA.example, "nights": "x", "hired": "yesterday", "ship": 1}
        )
        assert refused.status_code == 422
        told = {entry["loc"][1]: entry["msg"] for entry in refused.json()["detail"]}
        assert told["nights"] == "expected one of: Yes, No"
        assert told["hired"] == "expected a date, such as 31/03/2019"
        assert told["pay"].startswith("required field")
        assert told["heure_supplementaires"] == "unknown field"
        assert "ship" not in told

    def test_changes_are_compared_and_suggested(self, client: httpx2.Client) -> None:
        example = {"pay": 4000, "hired": "2026-01-15", "nights": "Yes"}
        answer = self.ask(client, "/what_if", {"employee": example, "changes": {"nights": "non"}}).json()
        assert answer["after"]["probability"] < answer["before"]["probability"]
        answer = self.ask(client, "/what_if", {"employee": example}).json()
        assert [suggestion["field"] for suggestion in answer["suggestions"]] == ["nights"]

    def test_the_document_and_the_card_are_of_its_fields(self, client: httpx2.Client) -> None:
        text = client.get("/openapi.json").text
        assert not [
            field.name for field in TECHNOVA.fields if field.name.count("_") > 1 and field.name in text
        ]
        employee = client.get("/openapi.json").json()["components"]["schemas"]["Employee"]
        assert list(employee["properties"]) == ["employee_id", "sex", "pay", "team", "hired", "nights"]
        assert employee["required"] == ["pay", "hired", "nights"]
        assert {"type": "string", "format": "date"} in employee["properties"]["hired"]["anyOf"]
        card = client.get("/model", headers={"Authorization": f"Bearer {TOKEN}"}).json()
        assert card["fields"] == ["pay", "team", "hired", "nights"]
        assert card["dictionary"] == "crew"

    def test_a_file_is_scored_as_a_job(self, client: httpx2.Client) -> None:
        with httpx2.Client(base_url=client.base_url, headers={"Authorization": f"Bearer {TOKEN}"}) as caller:
            job = send(caller, csv_of(employees(20).drop(columns="gone")))
            assert awaited(caller, job)["scored"] == 20

    def test_the_pages_ask_for_its_fields(self, client: httpx2.Client) -> None:
        sign_in(client, *USER)
        page = client.get("/app/employee?lang=fr")
        assert set(values_in(page)) >= {"pay", "hired", "nights", "team", "sex"}
        assert "Travail de nuit" in words(page)
        assert "une date, comme 31/03/2019" in words(page)
        assert ("une personne à risque" in words(page), "une personne stable" in words(page)) == (True, False)
        assert "trois extraits" not in words(client.get("/app/file?lang=fr"))
        answered = send_form(
            client, "/app/employee?lang=fr", {"pay": "4000", "hired": "15/01/2026", "nights": "Yes"}
        )
        assert "Travail de nuit : Oui, augmente le risque" in words(answered).replace("\xa0", " ")

    def test_the_journal_is_read_also_once_another_company_is_served(
        self,
        client: httpx2.Client,
        database: str,
        model: ServedModel,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        record = {"pay": 4000, "hired": "2026-01-15", "nights": "Yes", "employee_id": 77}
        [made] = self.ask(client, "/predict_batch", [record]).json()
        monkeypatch.setenv("DATABASE_URL", database)
        monkeypatch.setenv("CHURN_MODEL", model.tag)
        shown = churn("data", "show", "77")
        assert (shown.exit_code, "Night shifts: Yes" in shown.output) == (0, True), shown.output
        done = churn("data", "export", str(tmp_path / "rows.parquet"))
        assert done.exit_code == 0, done.output
        rows = pd.read_parquet(tmp_path / "rows.parquet").set_index("prediction_id")
        assert (rows.loc[made["prediction_id"], "pay"], "revenu_mensuel" in rows.columns) == (4000, True)
        done = churn("data", "replay")
        assert (done.exit_code, "come out as they were logged" in done.output) == (0, True), done.output


def test_a_prediction_is_told_in_the_words_of_its_own_model(
    served: Served, trained: tuple[ServedModel, str]
) -> None:
    """TechnoVa's service shows what the crew's model said."""
    answer = served.client.post("/predict", json=dict(TECHNOVA.example))
    made = answer.raise_for_status().json()["prediction_id"]
    contributions = {"pay": 0.1, "team": 0.0, "hired": 0.2, "nights": 1.5}
    values = {"pay": 4000.0, "team": "Deck", "hired": 0.45, "nights": "Yes"}
    with served.engine.begin() as connection:
        connection.execute(prediction_results.update().values(model=trained[0].tag))
        connection.execute(features.update().values(values=values, contributions=contributions))
        connection.execute(employee_inputs.update().values(record=values))
    a_user(served.engine, "marie")
    del served.client.headers["Authorization"]
    sign_in(served.client, "marie")
    page = words(served.client.get(f"/app/history/{made}?lang=en"))
    assert "Night shifts: Yes, raises the risk" in page
    assert "Hired" in page


@pytest.mark.parametrize("settings", [{}, {"PORT": "none"}], ids=["no model", "no usable setting"])
def test_the_service_is_imported_where_nothing_is_there(settings: dict[str, str], tmp_path: Path) -> None:
    """As `bentoml build` does."""
    env = environment(BENTOML_HOME=str(tmp_path), **settings)
    code = "import churn.service; print(churn.service.dictionary.name)"
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "technova\n"), done.stderr


def test_a_worker_that_finds_another_company_than_it_was_made_for_does_not_start(
    trained: tuple[ServedModel, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHURN_MODEL", trained[0].tag)
    with pytest.raises(ModelError, match="its API is another: start the service again"):
        Backend(TECHNOVA).open(has_identities=True)


def test_a_deployment_is_tried_with_a_record_of_its_own_model(
    trained: tuple[ServedModel, str], tmp_path: Path
) -> None:
    assert example_in(tmp_path) == TECHNOVA.example
    portable.send(trained[0].tag, tmp_path / "models")
    assert example_in(tmp_path) == {"pay": 4000, "hired": "2026-01-15", "nights": "Yes"}


class TestAnotherApi:
    @pytest.fixture(autouse=True)
    def promoted(self, model: ServedModel) -> Iterator[None]:
        """Have TechnoVa's model promoted, before and afterwards."""
        before = promotions.history(registry.home())
        promotions.promote(registry.home(), model.tag)
        yield
        while promotions.history(registry.home()) != before:
            promotions.rollback(registry.home())

    def test_is_told_and_has_to_be_accepted(
        self, model: ServedModel, trained: tuple[ServedModel, str]
    ) -> None:
        tag = trained[0].tag
        done = churn("model", "promote", tag)
        assert done.exit_code == 1
        told = " ".join(re.sub(r"[│\s]+", " ", done.output).split())
        assert "pay is new (core, number) a request has to hold it" in told
        assert "revenu_mensuel is gone a request that holds it is refused" in told
        assert f"`churn model promote {tag} --accept-changed-api`" in done.output
        assert promotions.promoted(registry.home()) == model.tag
        done = churn("model", "promote", tag, "--accept-changed-api")
        assert (done.exit_code, promotions.promoted(registry.home())) == (0, tag)
        done = churn("model", "rollback")
        assert "revenu_mensuel" in done.output
        assert promotions.promoted(registry.home()) == model.tag

    def test_is_not_promoted_by_its_training(self, model: ServedModel, tmp_path: Path) -> None:
        before = stored()
        employees().to_csv(tmp_path / "crew.csv", index=False)
        done = train(tmp_path / "crew.csv", write_dictionary(tmp_path), "--promote")
        [tag] = stored() - before
        assert (done.exit_code, f"churn: to promote {tag} changes the API (" in done.output) == (1, True)
        assert promotions.promoted(registry.home()) == model.tag
        bentoml.models.delete(tag)

    def test_the_same_api_needs_nobody_to_accept_it(self, model: ServedModel) -> None:
        done = churn("model", "promote", model.tag)
        assert (done.exit_code, done.output) == (0, f"{model.tag} serves from the next start on\n")

    def test_two_models_are_compared_where_their_fields_meet(
        self, trained: tuple[ServedModel, str], tmp_path: Path
    ) -> None:
        before, crew = stored(), employees().assign(berth=range(ROWS))
        crew.to_csv(tmp_path / "crew.csv", index=False)
        text = CREW.replace("[fields.ship]", '[fields.berth]\nkind = "integer"\n\n[fields.ship]')
        assert train(tmp_path / "crew.csv", write_dictionary(tmp_path, text)).exit_code == 0
        [tag] = stored() - before
        done = churn("model", "compare", trained[0].tag, tag, "--data", str(tmp_path / "crew.csv"))
        assert done.exit_code == 0, done.output
        assert f"{ROWS} employees" in done.output
        assert "ROC-AUC" in done.output
        done = churn("model", "show", tag)
        assert "dictionary crew" in done.output
        done = churn("dictionary", "diff", trained[0].tag, tag)
        assert (done.exit_code, "berth" in done.output, "pay" in done.output) == (0, True, False)
        assert "learned" not in churn("dictionary", "show", tag).output
        bentoml.models.delete(tag)


def test_a_dictionary_that_is_newer_is_refused(trained: tuple[ServedModel, str]) -> None:
    path = Path(registry.find(trained[0].tag).path_of(registry.DICTIONARY))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"format": 1', '"format": 2'), encoding="utf-8")
    try:
        with pytest.raises(DictionaryError, match="install a newer churn"):
            registry.load(trained[0].tag, TECHNOVA)
    finally:
        path.write_text(text, encoding="utf-8")


def test_a_model_without_a_dictionary_has_the_one_that_is_given(model: ServedModel) -> None:
    assert registry.load(model.tag, TECHNOVA).dictionary is TECHNOVA
    path = Path(registry.find(model.tag).path_of(registry.DICTIONARY))
    text = path.read_text(encoding="utf-8")
    path.unlink()
    try:
        other = replace(TECHNOVA, name="other")
        assert registry.load(model.tag, other).dictionary is other
    finally:
        path.write_text(text, encoding="utf-8")
