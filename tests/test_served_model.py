"""Which model serves, what it says of itself, and what a model that fails its self-test may not do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from churn.database.tables import prediction_results
from churn.model import registry
from churn.model.registry import ServedModel
from harness.identities import a_token
from tests.conftest import Served
from tests.support.company import EXAMPLE

LEFT_TO_THE_REPORT = ("curves", "chosen", "summaries")


class TestCard:
    @pytest.fixture
    def card(self, served: Served) -> dict[str, Any]:
        answer: dict[str, Any] = served.client.get("/model").json()
        return answer

    def test_says_which_model_serves_and_how_good_it_is(
        self, card: dict[str, Any], model: ServedModel
    ) -> None:
        assert card["tag"] == model.tag
        assert card["threshold"] == {"value": model.threshold, "policy": "f2"}
        assert card["bands"] == {"moderate": model.threshold / 2, "high": model.threshold}
        assert card["fields"] == [field.name for field in model.fields]
        assert card["left_out"] == ["age", "genre", "statut_marital"]
        assert 0.5 < card["metrics"]["roc_auc"]["mean"] < 1
        assert [audit["field"] for audit in card["fairness"]] == [
            "genre",
            "age",
            "statut_marital",
            "departement",
        ]
        assert card["data_fingerprint"].startswith("sha256:")
        assert card["self_test"] == {"passed": True, "failures": [], "notes": []}

    def test_says_its_limits_in_the_language_of_the_caller(self, served: Served) -> None:
        for language, says in (("fr", "jamais une décision"), ("en", "never a decision")):
            limits = served.client.get("/model", headers={"Accept-Language": language}).json()["limits"]
            assert any(says in sentence for sentence in limits)
            assert any("L1132-1" in sentence for sentence in limits)  # distance is an input
            horizon = {"fr": "n'a pas d'échéance connue", "en": "has no known horizon"}[language]
            assert any(horizon in sentence for sentence in limits)

    @pytest.mark.parametrize("language", ["fr", "en"])
    def test_is_the_report_that_was_stored_then_what_is_known_of_the_model(
        self, language: str, served: Served, model: ServedModel
    ) -> None:
        answer = served.client.get("/model", headers={"Accept-Language": language})
        stored = json.loads(Path(registry.find(model.tag).path_of(registry.REPORT)).read_text("utf-8"))
        report = {name: value for name, value in stored.items() if name not in LEFT_TO_THE_REPORT}
        written = json.dumps(report, ensure_ascii=False, separators=(",", ":"))
        assert answer.text.startswith(f'{written[:-1]},"bands":{{"moderate":')
        assert list(answer.json())[len(report) :] == ["bands", "base_value", "limits", "self_test"]

    def test_is_not_open(self, served: Served) -> None:
        assert served.client.get("/model", headers={"Authorization": ""}).status_code == 401

    def test_holds_nobodys_record(self, card: dict[str, Any]) -> None:
        assert not {"golden", "scorecard", *LEFT_TO_THE_REPORT} & set(card)


@pytest.fixture
def broken(
    app: ASGIApp, damaged: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """Return a client of the service with a model that fails its self-test."""
    monkeypatch.setenv("DATABASE_URL", engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CHURN_MODEL", damaged)
    headers = {"Authorization": f"Bearer {a_token(engine, 'tests')}"}
    with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
        yield client


class TestAFailedSelfTest:
    def test_the_service_starts_is_not_ready_and_says_why(self, broken: TestClient) -> None:
        assert broken.get("/livez").status_code == 200
        answer = broken.get("/readyz", headers={"Accept-Language": "en"})
        assert answer.status_code == 503
        assert "failed its self-test" in answer.json()["detail"]
        assert "auto-test" in broken.get("/readyz").json()["detail"]

    @pytest.mark.parametrize(
        ("route", "body"),
        [("/predict", EXAMPLE), ("/predict_batch", [EXAMPLE]), ("/what_if", {"employee": EXAMPLE})],
    )
    def test_nothing_is_predicted(self, route: str, body: Any, broken: TestClient, engine: Engine) -> None:
        answer = broken.post(route, json=body)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "probability" not in answer.text
        with engine.connect() as connection:
            counted = connection.execute(select(func.count()).select_from(prediction_results))
            assert counted.scalar_one() == 0

    def test_its_card_says_what_failed(self, broken: TestClient) -> None:
        found = broken.get("/model").json()["self_test"]
        assert not found["passed"]
        assert "golden rows are not reproduced" in found["failures"][0]
