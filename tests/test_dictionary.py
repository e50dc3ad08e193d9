"""A second company, in the same process: nothing that is given its dictionary knows of the first one."""

import json
import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import pandas as pd
import pytest

from churn import report, training
from churn.batch.run import Files, Run
from churn.core.errors import ExtractError, InvalidInputError
from churn.dictionary.dictionary import Dictionary, Extract
from churn.dictionary.field import Field, Lever
from churn.dictionary.technova import TECHNOVA
from churn.i18n import refusal_sentences
from churn.ingest import extracts
from churn.ingest.flat import FlatTable
from churn.model import registry
from churn.model.card import describe
from churn.model.golden_rows import golden_rows
from churn.model.pipeline import compile_scorecard
from churn.model.registry import Export, ServedModel
from churn.model.scoring import Scorer
from churn.model.what_if import compare
from churn.report.pages import render
from churn.schemas.employee import request_models
from churn.web.openapi.document import make_document
from churn.web.parsing import Parser
from tests.support.company import PARSER
from tests.support.plans import QUICK

NORDWIND = Dictionary(
    fields=(
        Field("employee_id", "people", "identifier", "identifier", ("Numéro", "Number"), minimum=0),
        Field("gender", "people", "category", "protected", ("Sexe", "Sex"), categories=("w", "m", "x")),
        Field("salary", "people", "number", "core", ("Salaire", "Pay"), minimum=0, unit="CHF"),
        Field("team", "people", "category", "optional", ("Équipe", "Team"), categories=("sea", "shore"),
              value_labels={"sea": ("À bord", "At sea")}, caution=("À bord, attention.", "At sea, beware.")),
        Field("tenure", "survey", "integer", "core", ("Ancienneté à bord", "Tenure"), maximum=50,
              aliases=("seniority",)),
        Field("night_shifts", "survey", "category", "core", ("Quarts de nuit", "Night shifts"),
              categories=("often", "never"), everyday=True),
        Field("rise", "survey", "percent", "optional", ("Hausse", "Rise"), minimum=0, unit="%"),
        Field("status", "survey", "category", "target", ("Statut", "Status"), categories=("gone", "here")),
    ),
    left="gone",
    extracts=(
        Extract("people", "crew_list", "person", constant_columns=("ship",)),
        Extract("survey", "crew_survey", "who", "P-", "P- and the employee's number"),
    ),
    implausible=(("tenure", "salary", 0),),
    levers={"night_shifts": Lever(order=("often", "never"), means=("repos", "rest"))},
    audited=("gender",),
    example={"salary": 5000, "tenure": 3, "night_shifts": "often"},
    example_changes={"night_shifts": "never"},
)  # fmt: skip
PARSER_OF_NORDWIND = Parser(request_models(NORDWIND))
TECHNOVAS_OWN = [f.name for f in TECHNOVA.fields if "_" in f.name and f.name not in NORDWIND.by_name]
ROWS = 400


def write_extracts(folder: Path) -> None:
    """Write the two files of a crew that leaves for its night shifts."""
    random = np.random.default_rng(3)
    often = random.random(ROWS) < 0.4
    gone = random.random(ROWS) < np.where(often, 0.6, 0.1)
    people = pd.DataFrame(
        {
            "person": np.arange(1, ROWS + 1),
            "Sexe": random.choice(["w", "m"], ROWS),
            "Pay": random.integers(3000, 9000, ROWS),
            "team": random.choice(["SEA", "shore", ""], ROWS),
            "ship": "Nordwind",
        }
    )
    survey = pd.DataFrame(
        {
            "who": [f"P-{number}" for number in range(1, ROWS + 1)],
            "seniority": random.integers(0, 30, ROWS),
            "night shifts": np.where(often, "often", "never"),
            "rise": [f"{number} %" for number in random.integers(0, 20, ROWS)],
            "status": np.where(gone, "gone", "here"),
        }
    )
    people.to_csv(folder / "crew_list.csv", index=False)
    survey.to_parquet(folder / "crew_survey.parquet", index=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("nordwind")
    write_extracts(directory)
    return directory


@pytest.fixture(scope="module")
def nordwind(folder: Path) -> Iterator[ServedModel]:
    """Return a model that was trained on the crew and went through the store."""
    trained = training.train(extracts.read(folder, NORDWIND), NORDWIND, plan=QUICK)
    export = Export(
        pipeline=trained.pipeline,
        scorecard=compile_scorecard(trained.pipeline),
        report=trained.report.to_dict(),
        golden=golden_rows(trained.pipeline, NORDWIND.features, NORDWIND),
        fingerprint=extracts.fingerprint(folder, NORDWIND),
    )
    tag = registry.save(export, partial(report.render_cards, dictionary=NORDWIND))
    yield registry.load(tag, NORDWIND)
    bentoml.models.delete(tag)


def technovas(text: str) -> list[str]:
    """Return the fields of TechnoVa that a text names."""
    return [name for name in TECHNOVAS_OWN if name in text]


def answer(model: ServedModel, language: Any = "fr", **changes: object) -> dict[str, Any]:
    employee = PARSER_OF_NORDWIND.read_one(json.dumps({**NORDWIND.example, **changes}).encode())
    scorer = Scorer(model)
    [scored] = scorer.score([employee])
    return scorer.document(scored, language)


def test_an_identifier_that_the_journal_would_log_in_clear_is_refused() -> None:
    with pytest.raises(ValueError, match="called employee_id"):
        Dictionary((Field("badge", "people", "identifier", "identifier", ("Badge", "Badge")),))


class TestIngest:
    def test_joins_its_own_extracts(self, folder: Path) -> None:
        employees = extracts.read(folder, NORDWIND)
        assert list(employees.columns) == [field.name for field in NORDWIND.fields]
        assert len(employees) == ROWS
        assert set(employees["team"].dropna()) == {"sea", "shore"}

    def test_explains_by_its_own_fields(self, tmp_path: Path) -> None:
        with pytest.raises(
            ExtractError,
            match=r"one file, crew_list\.csv, crew_list\.xlsx, crew_list\.ods or crew_list\.parquet",
        ):
            extracts.read(tmp_path, NORDWIND)
        write_extracts(tmp_path)
        text = (tmp_path / "crew_list.csv").read_text(encoding="utf-8")
        (tmp_path / "crew_list.csv").write_text(text.replace("Sexe", "Statut marital", 1), encoding="utf-8")
        with pytest.raises(ExtractError) as caught:
            extracts.read(tmp_path, NORDWIND)
        assert "Statut marital: no such column: the name is unknown" in str(caught.value)

    def test_scores_a_flat_file(self, nordwind: ServedModel, tmp_path: Path) -> None:
        crew = pd.DataFrame([NORDWIND.example, {**NORDWIND.example, "night_shifts": "on Sundays"}])
        crew.to_csv(tmp_path / "crew.csv", index=False)
        files = Files(tmp_path / "scores.csv", tmp_path / "rejects.csv")
        table = FlatTable(tmp_path / "crew.csv", NORDWIND)
        summary = Run(nordwind, "en").score(table, files, lambda *_: None)
        assert (summary.scored, summary.rejected) == (1, 1)
        assert "one of: often, never" in files.rejects.read_text(encoding="utf-8")
        assert "Night shifts: often, raises the risk" in files.scores.read_text(encoding="utf-8")


class TestModel:
    def test_passes_its_self_test_and_learned_its_positive_value(self, nordwind: ServedModel) -> None:
        assert nordwind.self_test.failures == ()
        assert [field.name for field in nordwind.fields] == [field.name for field in NORDWIND.features]
        assert nordwind.report["left_out"] == ["gender"]
        assert [audit["field"] for audit in nordwind.report["fairness"]] == ["gender"]
        assert answer(nordwind)["probability"] > answer(nordwind, night_shifts="never")["probability"]

    def test_answers_in_its_own_words(self, nordwind: ServedModel) -> None:
        french, english = (answer(nordwind, tongue, team="Sea", salary=10) for tongue in ("fr", "en"))
        assert french["reasons"][0]["text"] == "Quarts de nuit : often, augmente le risque"
        texts = [reason["text"] for reason in english["reasons"]]
        assert any(text.startswith("Team: At sea, ") for text in texts)
        assert any(text.startswith("Pay: 10 CHF, ") for text in texts)
        assert english["warnings"][0].startswith("salary = 10: outside the observed range (30")

    def test_suggests_by_its_own_levers(self, nordwind: ServedModel) -> None:
        body = {"employee": NORDWIND.example, "changes": {"Ancienneté à bord": 4}}
        question = PARSER_OF_NORDWIND.read_what_if(json.dumps(body).encode())
        scorer = Scorer(nordwind)
        before, after = scorer.score([question.employee, question.changed()])
        [suggestion] = compare(scorer, before, after, "en").suggestions
        assert suggestion.text.startswith(
            "Night shifts: going from often to never (rest) brings the risk down"
        )

    def test_is_described_by_its_own_fields(self, nordwind: ServedModel) -> None:
        assert describe(nordwind, "en").limits[-1] == "At sea, beware."
        facts = {**nordwind.report, "scorecard": nordwind.scorecard.to_dict()}
        documents = render(facts, NORDWIND)
        assert [technovas(text) for text in documents.values()] == [[]] * 4
        assert "Quarts de nuit" in documents["report.fr.html"]

    def test_goes_to_another_process_with_its_dictionary(self, nordwind: ServedModel) -> None:
        again = pickle.loads(pickle.dumps(nordwind))  # noqa: S301
        assert again.dictionary.names.field_of("Quarts de nuit").name == "night_shifts"
        assert Scorer(again).document(Scorer(again).score_record(dict.fromkeys(NORDWIND.by_name)), "fr")


class TestRequests:
    def test_two_companies_are_read_side_by_side(self) -> None:
        ours, theirs = (json.dumps(dictionary.example).encode() for dictionary in (NORDWIND, TECHNOVA))
        assert PARSER_OF_NORDWIND.read_one(ours).record()["night_shifts"] == "often"
        assert PARSER.read_one(theirs).record()["heure_supplementaires"] == "Oui"
        for parser, body in ((PARSER_OF_NORDWIND, theirs), (PARSER, ours)):
            with pytest.raises(InvalidInputError) as caught:
                parser.read_one(body)
            assert "unknown_field" in {error.kind for error in caught.value.errors}

    def test_what_was_expected_is_told_of_its_own_fields(self) -> None:
        with pytest.raises(InvalidInputError) as caught:
            PARSER_OF_NORDWIND.read_one(b'{"tenure": 51, "night_shifts": "jamais", "status": "gone"}')
        told = {error.loc[-1]: refusal_sentences.field_error(error, "en") for error in caught.value.errors}
        assert told == {
            "salary": "required field; expected a number ≥ 0",
            "tenure": "expected an integer from 0 to 50",
            "night_shifts": "expected one of: often, never",
            "status": "this is what the model predicts: remove it from the request",
        }

    def test_the_document_describes_its_own_fields(self) -> None:
        schemas = make_document(request_models(NORDWIND))["components"]["schemas"]
        for name in ("Employee", "Changes", "WhatIfQuestion"):
            assert technovas(json.dumps(schemas[name])) == []
        assert list(schemas["Employee"]["properties"]) == [field.name for field in NORDWIND.inputs]
        assert schemas["Employee"]["required"] == ["salary", "tenure", "night_shifts"]
        assert schemas["Employee"]["example"] == NORDWIND.example
        assert schemas["Employee"]["patternProperties"].keys() == {"^(person|ship|who)$"}
        assert set(
            make_document(request_models(TECHNOVA))["components"]["schemas"]["Employee"]["properties"]
        ) == {field.name for field in TECHNOVA.inputs}
