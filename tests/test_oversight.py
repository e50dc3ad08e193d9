"""Oversight, through the served app on both databases: what people say is counted, and who was right."""

import json
import math
import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from churn.cli.main import main
from churn.core.language import Language
from churn.dictionary.technova import TECHNOVA
from churn.model.registry import ServedModel
from churn.monitoring.oversight import ENOUGH, RARE, UNLUCKY
from harness.identities import a_token, bearer
from tests.conftest import Served
from tests.support.pages import words
from tests.support.past import days_ago, predicted
from tests.support.predictions import erase
from tests.support.year import Year, year
from tests.test_drift import people, predict
from tests.test_monitoring_page import signed_in

LONG_AGO = 400  # days: more than the horizon
LABELS = {"fr": "Avis des gens", "en": "Oversight"}


def review(served: Served, key: object, verdict: str = "agree", authorization: str = "") -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = served.client.post(f"/predictions/{key}/review", json={"verdict": verdict}, headers=headers)
    assert answer.status_code == 200, answer.text


def look(served: Served, **parameters: str) -> dict[str, Any]:
    answer = served.client.get("/oversight", params=parameters)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def alarms(served: Served) -> dict[str, float]:
    text = served.client.get("/metrics").text
    return {
        sample.labels["reason"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "churn_oversight_alarm"
    }


def keys_of(predictions: Iterable[dict[str, Any]]) -> list[str]:
    return [prediction["prediction_id"] for prediction in predictions]


def test_so_many_reviews_are_enough() -> None:
    assert (1 - RARE) ** ENOUGH < UNLUCKY <= (1 - RARE) ** (ENOUGH - 1)


class TestVerdicts:
    def test_without_predictions_there_is_nothing(self, served: Served) -> None:
        assert look(served)["verdict"] == "empty"

    @pytest.mark.parametrize(
        ("predictions", "expected", "told"), [(ENOUGH - 1, "too_few", 0.0), (ENOUGH, "unreviewed", 1.0)]
    )
    def test_it_is_an_alarm_that_nobody_reviews(
        self, served: Served, predictions: int, expected: str, told: float
    ) -> None:
        predict(served, people(predictions))
        assert look(served)["verdict"] == expected
        assert alarms(served) == {"unreviewed": told, "unanimous": 0.0}

    def test_it_is_an_alarm_that_nobody_ever_disagrees(self, served: Served) -> None:
        keys = keys_of(predict(served, people(ENOUGH)))
        for key in keys[1:]:
            review(served, key)
        report = look(served)
        assert (report["verdict"], report["whole"]["reviewed"]) == ("too_few", ENOUGH - 1)
        assert alarms(served) == {"unreviewed": 0.0, "unanimous": 0.0}
        review(served, keys[0])
        assert look(served)["verdict"] == "unanimous"
        assert alarms(served) == {"unreviewed": 0.0, "unanimous": 1.0}
        review(served, keys[0], "disagree")
        report = look(served)
        assert (report["verdict"], report["whole"]["reviewed"]) == ("overseen", ENOUGH)
        assert alarms(served) == {"unreviewed": 0.0, "unanimous": 0.0}


class TestCounts:
    def test_the_last_review_of_a_prediction_counts(self, served: Served) -> None:
        [key] = keys_of(predict(served, people(1)))
        other = bearer(a_token(served.engine, "other", scopes=["predict", "history"]))
        review(served, key, "disagree")
        review(served, key, "agree", other)
        report = look(served)
        assert (report["whole"]["reviewed"], report["whole"]["disagreed"], report["reviewers"]) == (1, 0, 1)

    def test_they_are_told_by_answer_reason_and_group(self, served: Served) -> None:
        records = people(30)
        answers = predict(served, records)
        disputed = {number for number, record in enumerate(records) if record["genre"] == "F"}
        for number, answer in enumerate(answers):
            review(served, answer["prediction_id"], "disagree" if number in disputed else "agree")
        report = look(served)
        genders = {one["name"]: one for one in report["by_group"] if one["field"] == "genre"}
        assert (genders["F"]["reviewed"], genders["F"]["disagreed"]) == (len(disputed), len(disputed))
        assert genders["M"]["disagreed"] == 0
        assert genders["F"]["share"]["value"] == 1
        assert genders["F"]["share"]["low"] < 1
        leading = [answer["reasons"][0]["field"] for answer in answers]
        by_field = {one["name"]: one["reviewed"] for one in report["by_field"]}
        assert by_field == {name: leading.count(name) for name in set(leading)}
        flagged = sum(answer["prediction"] for answer in answers)
        by_answer = {one["name"]: one["reviewed"] for one in report["by_answer"]}
        assert by_answer.get("flagged", 0) == flagged
        assert sum(by_answer.values()) == len(answers)

    def test_what_is_erased_is_not_counted(self, served: Served) -> None:
        keys = keys_of(predict(served, people(2)))
        for key in keys:
            review(served, key, "disagree")
        erase(served.engine, uuid.UUID(keys[0]))
        assert look(served)["whole"]["reviewed"] == 1

    def test_a_period_is_of_the_predictions(self, served: Served, model: ServedModel) -> None:
        [old] = predicted(served.engine, model, year(1, 1).records, days_ago(100))
        review(served, old.id, "disagree")
        assert look(served)["whole"]["reviewed"] == 0
        assert look(served, since=str(days_ago(101).date()))["whole"]["reviewed"] == 1
        assert look(served, until=str(days_ago(101).date()))["whole"]["reviewed"] == 0


class TestHindsight:
    """People who know what will become of somebody: half of the time, they speak up against the model."""

    @pytest.fixture
    def lived(self) -> Year:
        return year(300, 3)

    def live(self, served: Served, model: ServedModel, lived: Year, *, are_right: bool) -> list[bool]:
        """Have a year go by, and return where the model was right."""
        scored = predicted(served.engine, model, lived.records, days_ago(LONG_AGO))
        right = [bool(one.prediction) == left for one, left in zip(scored, lived.left, strict=True)]
        assert served.client.post("/outcomes", json={"outcomes": lived.sent(LONG_AGO)}).status_code == 200
        for one, is_right in list(zip(scored, right, strict=True))[:80]:
            review(served, one.id, "disagree" if is_right != are_right else "agree")
        return right[:80]

    @pytest.mark.parametrize("are_right", [True, False], ids=["the people", "the model"])
    def test_who_was_right_is_told(
        self, served: Served, model: ServedModel, lived: Year, *, are_right: bool
    ) -> None:
        right = self.live(served, model, lived, are_right=are_right)
        found = look(served)["hindsight"]
        assert (found["rows"], found["known"]) == (80, 80)
        assert math.isclose(found["model"]["value"], sum(right) / 80)
        assert found["people"]["value"] == (1.0 if are_right else 0.0)
        disputed = right.count(not are_right)
        assert (found["disputed"], found["people_where_disputed"]["value"]) == (disputed, float(are_right))
        says = "right more often than the model" if are_right else "right less often than the model"
        assert says in words(signed_in(served).get("/app/monitoring/oversight?lang=en"))

    def test_without_outcomes_it_says_so(self, served: Served) -> None:
        [key] = keys_of(predict(served, people(1)))
        review(served, key, "disagree")
        assert look(served)["hindsight"] is None
        assert "it cannot be told who was right" in words(
            signed_in(served).get("/app/monitoring/oversight?lang=en")
        )


class TestPage:
    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_it_says_the_verdict_and_marks_the_alarm(self, served: Served, language: Language) -> None:
        for key in keys_of(predict(served, people(ENOUGH))):
            review(served, key)
        page = signed_in(served).get("/app/monitoring/oversight", params={"lang": language})
        says = {"fr": "Personne n'est jamais en désaccord", "en": "Nobody ever disagrees"}[language]
        assert f'<p class="problem" role="status">{says}'.replace("'", "&#39;") in page.text
        assert TECHNOVA.by_name["genre"].label(language) in words(page)
        assert f'aria-current="page">{LABELS[language]}</a>' in page.text

    def test_what_cannot_be_read_is_named(self, served: Served) -> None:
        answer = served.client.get("/oversight?since=soon&horizon=3")
        assert {entry["loc"][1] for entry in answer.json()["detail"]} == {"since", "horizon"}
        ruth = signed_in(served)
        page = ruth.get("/app/monitoring/oversight?lang=en&since=soon")
        assert (page.status_code, "expected a date" in words(page)) == (422, True)
        assert 'id="model-error"' in ruth.get("/app/monitoring/oversight?model=churn:nobody").text

    def test_who_may_not_read_the_history_does_not_open_it(self, served: Served) -> None:
        assert signed_in(served, role="operator").get("/app/monitoring/oversight").status_code == 403


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_command_says_the_same(
    served: Served, model: ServedModel, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("DATABASE_URL", served.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHURN_MODEL", model.tag)
    for key in keys_of(predict(served, people(ENOUGH))):
        review(served, key)
    command = ["monitor", "oversight", "--language", language]
    table = CliRunner().invoke(main, command)
    assert table.exit_code == 3, table.output
    assert TECHNOVA.by_name["genre"].label(language) in table.output
    report = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    served.client.headers["Accept-Language"] = language
    assert report | {"since": None} == look(served) | {"since": None}
