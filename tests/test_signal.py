"""Whether the data show who leaves: an interval that holds the truth, and no model served upside down."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from churn.dictionary.technova import TECHNOVA
from churn.model.pipeline import (
    build_pipeline,
    compile_scorecard,
    contributions,
    effects,
    fit,
    frame,
)
from churn.model.sample import make_employees
from churn.training.crossvalidation import Fold
from churn.training.plan import Plan
from churn.training.signal import Signal, measure_signal
from tests.support.plans import ONE

PLAN = Plan(folds=5, repeats=2, candidates=ONE)


def folds_of(probabilities: NDArray[np.float64], plan: Plan = PLAN) -> list[Fold]:
    """Return folds as a cross-validation would, each repeat with probabilities of its own."""
    everyone = np.arange(probabilities.shape[1])
    return [
        Fold(everyone[number :: plan.folds], ONE[0], repeat[number :: plan.folds], repeat, ())
        for repeat in probabilities
        for number in range(plan.folds)
    ]


def measured(has_left: NDArray[np.bool_], scores: ArrayLike) -> Signal:
    return measure_signal(folds_of(np.array([scores] * PLAN.repeats)), has_left, PLAN)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_the_interval_holds_the_truth_nineteen_times_in_twenty(shift: float) -> None:
    # Two normal distributions, this far apart, have this area.
    truth, held, random = norm.cdf(shift / np.sqrt(2)), 0, np.random.default_rng(1)
    has_left = np.arange(250) % 5 == 0
    has_left = random.permutation(has_left)
    for _ in range(300):
        found = measured(has_left, random.normal(shift * has_left))
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 300 <= 0.985


def test_what_says_the_same_of_everybody_is_chance_and_what_is_always_right_is_not() -> None:
    has_left = np.random.default_rng(2).random(60) < 0.4
    assert measured(has_left, np.full(60, 0.3)) == Signal(0.5, 0.5, 0.5, shown=False)
    assert measured(has_left, has_left * 0.5 + 0.1) == Signal(1.0, 1.0, 1.0, shown=True)
    assert not measured(has_left, 0.9 - has_left * 0.5).shown


def test_repeats_make_it_no_more_certain() -> None:
    random = np.random.default_rng(3)
    has_left = random.random(200) < 0.3
    scores = random.normal(has_left * 0.8)
    once = measure_signal(folds_of(scores[None]), has_left, Plan(folds=5, repeats=1, candidates=ONE))
    assert measured(has_left, scores) == pytest.approx(once)


def without_signal(rows: int, seed: int) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return employees, a fifth of whom left by lot."""
    has_left = np.random.default_rng(seed).permutation(np.arange(rows) % 5 == 0)
    employees = make_employees(rows, seed=seed)
    records = [{str(name): value for name, value in row.items()} for row in employees.to_dict("records")]
    return frame(records, TECHNOVA.features), has_left


@pytest.mark.parametrize("rows", [50, 120, 300, 1000])
def test_no_model_ranks_against_its_own_sum(rows: int) -> None:
    learned_nothing = 0
    for seed in range(5):
        table, has_left = without_signal(rows, seed)
        pipeline = fit(build_pipeline(TECHNOVA.features), table, has_left)
        sums = effects(pipeline, table)[1].sum(axis=1).to_numpy()
        ranked = pipeline.predict_proba(table)[np.argsort(sums, kind="stable"), 1]
        assert (np.diff(ranked) >= -1e-12).all()
        assert compile_scorecard(pipeline).calibration.never_falls
        if not sums.any():  # the rows held out contradicted what was learned: no reason is given, either
            learned_nothing += 1
            base, parts = contributions(pipeline, table)
            assert (parts == 0).all(axis=None)
            np.testing.assert_allclose(ranked, has_left.mean())
            assert 1 / (1 + np.exp(-base)) == pytest.approx(has_left.mean())
    assert 0 < learned_nothing < 5  # both cases are among them
