"""The reasons of a prediction: exact, sorted, readable, and never a protected field."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from churn import training
from churn.core.language import Language
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model.pipeline import compile_scorecard
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from churn.model.what_if import compare
from churn.schemas.responses import OTHER, Prediction
from tests.support.company import EXAMPLE, MODELS
from tests.support.employees import CHANGES, RECORDS
from tests.support.plans import PASSED, QUICK

PROTECTED = {field.name for field in TECHNOVA.protected}
KNOWN_PROTECTED = {"age": 41, "genre": "F", "statut_marital": "Divorcé(e)"}


@pytest.fixture(scope="module")
def unfair(sample: Path) -> ServedModel:
    """Return a model that takes the protected fields as inputs, as an audit may train one."""
    fields = (*TECHNOVA.features, *TECHNOVA.protected)
    trained = training.train(extracts.read(sample, TECHNOVA), TECHNOVA, fields=fields, plan=QUICK)
    card, report = compile_scorecard(trained.pipeline), trained.report
    threshold = trained.threshold.value
    return ServedModel("churn:unfair", card, threshold, TECHNOVA, report.seen, report.to_dict(), PASSED)


def answered(model: ServedModel, record: dict[str, Any], language: Language = "fr") -> Prediction:
    [scored] = Scorer(model).score([MODELS.employee.model_validate(record)])
    return Scorer(model).answer(scored, language)


def check_sum(answer: Prediction) -> None:
    logit = math.log(answer.probability / (1 - answer.probability))
    parts = [reason.contribution for reason in answer.reasons]
    assert answer.base_value + math.fsum(parts) == pytest.approx(logit, abs=1e-9)
    assert parts == sorted(parts, key=abs, reverse=True)


@given(record=RECORDS)
def test_they_are_the_known_fields_and_add_up(model: ServedModel, record: dict[str, Any]) -> None:
    answer = answered(model, record)
    check_sum(answer)
    inputs = {field.name for field in model.fields}
    known = {name: value for name, value in record.items() if name in inputs and value is not None}
    assert {reason.field: reason.value for reason in answer.reasons} == known
    assert set(answer.unknown) == inputs - set(known)


@given(record=RECORDS)
def test_a_sentence_says_which_way_each_moves_the_risk(model: ServedModel, record: dict[str, Any]) -> None:
    verbs: dict[Language, tuple[str, str, str]] = {
        "fr": ("diminue le risque", "sans effet sur le risque", "augmente le risque"),
        "en": ("lowers the risk", "no effect on the risk", "raises the risk"),
    }
    for language, by_sign in verbs.items():
        for reason in answered(model, record, language).reasons:
            sign = (reason.contribution > 0) - (reason.contribution < 0)
            assert reason.text.startswith(TECHNOVA.by_name[reason.field].label(language))
            assert reason.text.endswith(by_sign[sign + 1])


class TestProtected:
    """A model that takes protected fields tells what they add in sum, and nothing else of them."""

    @given(record=RECORDS)
    def test_they_never_appear_and_all_still_adds_up(
        self, unfair: ServedModel, record: dict[str, Any]
    ) -> None:
        answer = answered(unfair, record)
        check_sum(answer)
        assert not PROTECTED & {reason.field for reason in answer.reasons}
        labels = [label for field in TECHNOVA.protected for label in field.labels]
        assert not any(label in reason.text for reason in answer.reasons for label in labels)
        given_any = any(record.get(name) is not None for name in PROTECTED)
        assert [reason.value for reason in answer.reasons if reason.field == OTHER] == [None] * given_any

    def test_what_they_add_is_one_reason_without_name_or_value(self, unfair: ServedModel) -> None:
        record = {**EXAMPLE, **KNOWN_PROTECTED}
        contributions = unfair.scorecard.contributions(MODELS.employee.model_validate(record).record())
        total = sum(contributions[name] for name in PROTECTED)
        verb = {True: ("augmente", "raises"), False: ("diminue", "lowers")}[total > 0]
        for language, text in (
            ("fr", f"Autres facteurs : leur somme {verb[0]} le risque"),
            ("en", f"Other factors: their sum {verb[1]} the risk"),
        ):
            reasons = answered(unfair, record, language).reasons  # type: ignore[arg-type]
            [other] = [reason.model_dump() for reason in reasons if reason.field == OTHER]
            assert other == {
                "field": OTHER, "value": None, "contribution": pytest.approx(total), "text": text
            }  # fmt: skip

    def test_the_journal_keeps_each_of_them_for_audits(self, unfair: ServedModel) -> None:
        [scored] = Scorer(unfair).score([MODELS.employee.model_validate({**EXAMPLE, **KNOWN_PROTECTED})])
        assert {name: scored.values[name] for name in PROTECTED} == KNOWN_PROTECTED
        assert set(scored.contributions) >= PROTECTED

    def test_a_model_without_them_has_no_such_reason(self, model: ServedModel) -> None:
        answer = answered(model, {**EXAMPLE, **KNOWN_PROTECTED})
        assert {reason.field for reason in answer.reasons} == set(EXAMPLE)

    @given(record=RECORDS, changes=CHANGES)
    def test_a_what_if_tells_their_changes_in_sum(
        self, unfair: ServedModel, record: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        employee = MODELS.employee.model_validate(record)
        changed = employee.model_copy(update=MODELS.changes.model_validate(changes).given())
        before, after = Scorer(unfair).score([employee, changed])
        answer = compare(Scorer(unfair), before, after, "fr")
        fields = {field.field: field for field in answer.difference.fields}
        assert not PROTECTED & set(fields)
        assert math.fsum(field.change for field in fields.values()) == pytest.approx(
            answer.difference.log_odds, abs=1e-9
        )
        if OTHER in fields:
            assert (fields[OTHER].before, fields[OTHER].after) == (None, None)
            assert any(record.get(name) != changes.get(name) for name in PROTECTED)
        moved = {name for name, value in changes.items() if record.get(name) != value}
        assert (OTHER in fields) == bool(moved & PROTECTED)
        if moved <= PROTECTED and moved:
            assert fields[OTHER].change == pytest.approx(answer.difference.log_odds, abs=1e-12)
