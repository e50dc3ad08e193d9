"""A year of outcomes, through the served app: on the page, in the answer, in the metrics."""

import math
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from churn.core.language import Language
from churn.model.registry import ServedModel
from tests.conftest import Served
from tests.support.pages import words
from tests.support.past import days_ago, predicted
from tests.support.year import year
from tests.test_monitoring_page import signed_in

PEOPLE = 400
DAYS = 400  # since they were predicted about: more than the horizon


@pytest.fixture(scope="module")
def lived() -> list[dict[str, Any]]:
    """What has become of a year's people, as a program sends it."""
    return year(PEOPLE, 3).sent(DAYS)


def live(served: Served, model: ServedModel, outcomes: list[dict[str, Any]]) -> int:
    """Have a year go by, and return how many left."""
    predicted(served.engine, model, year(PEOPLE, 3).records, days_ago(DAYS))
    answer = served.client.post("/outcomes", json={"outcomes": outcomes})
    assert (answer.status_code, answer.json()["stored"]) == (200, len(outcomes)), answer.text
    left: int = answer.json()["left"]
    return left


def figures(served: Served) -> dict[tuple[str, ...], float]:
    """Return the metrics of performance, by name and labels but the model's."""
    text = served.client.get("/metrics").text
    return {
        (
            sample.name,
            *(value for name, value in sorted(sample.labels.items()) if name != "model"),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("churn_performance")
    }


def test_a_year_is_told(served: Served, model: ServedModel, lived: list[dict[str, Any]]) -> None:
    left = live(served, model, lived)
    report = served.client.get("/performance").json()
    assert (report["whole"]["rows"], report["whole"]["leavers"]) == (PEOPLE, left)
    assert report["whole"]["figures"]["roc_auc"]["low"] > 0.5
    assert [group["rows"] for group in report["calibration"]] == [PEOPLE // 5] * 5
    predictions = [group["predicted"] for group in report["calibration"]]
    assert predictions == sorted(predictions)
    shares = [group["observed"]["value"] for group in report["calibration"]]
    assert math.isclose(sum(shares) / 5, report["whole"]["figures"]["rate"]["value"])
    told = figures(served)
    assert told["churn_performance_leavers",] == left
    for bound in ("value", "low", "high"):
        figure = report["whole"]["figures"]["roc_auc"][bound]
        assert told["churn_performance_figure", bound, "roc_auc"] == figure


def test_a_look_over_another_horizon_is_for_who_asked(
    served: Served, model: ServedModel, lived: list[dict[str, Any]]
) -> None:
    live(served, model, lived)
    served.client.get("/performance")
    before = figures(served)
    report = served.client.get("/performance?horizon=180").json()
    assert report["whole"]["leavers"] < before["churn_performance_leavers",]
    assert figures(served) == before


@pytest.mark.parametrize(("language", "says"), [("fr", "aire sous la courbe ROC"), ("en", "The ROC-AUC is")])
def test_the_page_says_it_in_words_and_draws_it(
    served: Served, model: ServedModel, lived: list[dict[str, Any]], language: Language, says: str
) -> None:
    live(served, model, lived)
    page = signed_in(served).get("/app/monitoring/outcomes", params={"lang": language})
    assert (page.status_code, says in words(page)) == (200, True)
    assert (page.text.count('class="whisker"'), page.text.count('class="dot"')) == (5, 5)
    assert page.text.count('class="span"') >= 3  # the month, and groups with enough leavers
    assert f"{days_ago(DAYS):%Y-%m}" in page.text


@pytest.mark.parametrize(
    ("language", "says"),
    [("fr", "19 départs sont connus en 365 jours, il en faut 20"), ("en", "19 leavers are known within 365")],
)
def test_too_few_leavers_are_refused_with_the_reason(
    served: Served, model: ServedModel, lived: list[dict[str, Any]], language: Language, says: str
) -> None:
    gone = [one for one in lived if one["left_on"]][:19]
    live(served, model, [*gone, *(one for one in lived if not one["left_on"])])
    report = served.client.get("/performance").json()
    assert (report["whole"]["figures"], report["whole"]["refusal"], report["calibration"]) == (
        None,
        "leavers",
        [],
    )
    assert math.isnan(figures(served)["churn_performance_figure", "value", "roc_auc"])
    page = signed_in(served).get("/app/monitoring/outcomes", params={"lang": language})
    assert says in words(page)
    assert "<svg" not in page.text


def test_what_cannot_be_read_is_named(served: Served) -> None:
    answer = served.client.get("/performance?horizon=4000&model=churn:nobody&since=2026-01-01")
    assert answer.status_code == 422
    assert {entry["loc"][1] for entry in answer.json()["detail"]} == {"horizon", "since"}
    ruth = signed_in(served)
    page = ruth.get("/app/monitoring/outcomes?lang=en&horizon=never&model=churn:nobody")
    assert page.status_code == 422
    assert "expected an integer from 1 to 3650" in words(page)
    assert 'id="model-error"' in ruth.get("/app/monitoring/outcomes?model=churn:nobody").text


def test_who_may_not_read_the_history_does_not_open_it(served: Served) -> None:
    assert signed_in(served, role="operator").get("/app/monitoring/outcomes").status_code == 403
