"""Samples of the journal's predictions: of a period with too many, each is as likely read as any other."""

from datetime import UTC, datetime
from typing import Any

import pytest

from churn.model.registry import ServedModel
from churn.records.prediction_sample import PredictionSample, newest, sample
from tests.conftest import Served
from tests.test_drift import look, people, predict

ROWS, MOST = 1_500, 400


@pytest.fixture
def filled(served: Served, model: ServedModel) -> Served:
    for seed in range(3):
        ids = range(seed * 1_000, seed * 1_000 + ROWS // 3)
        predict(served, people(ROWS // 3, seed=seed, employee_id=ids))
    return served


def ids(found: PredictionSample) -> list[str]:
    return [str(one.employee_id) for one in found.predictions]


def test_a_sample_is_about_as_large_as_it_may_be(filled: Served, model: ServedModel) -> None:
    found = sample(filled.engine, None, None, model=model.tag, most=MOST)
    chosen = ids(found)
    assert (found.total, found.is_whole) == (ROWS, False)
    # Five standard deviations from what is aimed at.
    assert 280 < len(chosen) <= 480
    assert len(set(chosen)) == len(chosen)
    # Over the whole period, not its end: a third is of each call.
    calls = [sum(int(one) // 1_000 == call for one in chosen) for call in range(3)]
    assert min(calls) > len(chosen) / 5
    assert ids(sample(filled.engine, None, None, model=model.tag, most=MOST)) == chosen


def test_what_is_few_enough_is_read_whole_and_newest_first(filled: Served, model: ServedModel) -> None:
    found = sample(filled.engine, None, None, model=model.tag, most=ROWS)
    chosen = ids(found)
    assert (found.total, found.is_whole, len(chosen)) == (ROWS, True, ROWS)
    assert chosen == ids(newest(filled.engine, None, None, model=model.tag))
    assert chosen[0] == str(2_000 + ROWS // 3 - 1)
    nobodys = sample(filled.engine, datetime.now(UTC), None, model=model.tag, most=MOST)
    assert (nobodys.total, ids(nobodys)) == (0, [])


def test_a_look_says_that_it_has_read_a_sample(filled: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("churn.monitoring.window_reader", "churn.monitoring.window_rows"):
        monkeypatch.setattr(f"{module}.MOST_ROWS", MOST)
    report: dict[str, Any] = look(filled)
    selection = report["selection"]
    assert (selection["predictions"], selection["is_sample"]) == (ROWS, True)
    assert 280 < selection["rows"] <= MOST
    assert any("échantillon" in note for note in report["notes"])
    assert report["verdict"] == "calm", report["summary"]
