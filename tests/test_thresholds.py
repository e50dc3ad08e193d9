"""Policies: what each makes best, and what is no policy."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, fbeta_score

from churn.core.errors import TrainingError
from churn.training.thresholds import (
    METRIC_POLICIES,
    Capacity,
    CostRatio,
    FBeta,
    HasLeft,
    Probabilities,
    parse_policy,
)


def employees(seed: int, n: int = 80) -> tuple[HasLeft, Probabilities]:
    random = np.random.default_rng(seed)
    # Rounded, so that some probabilities are equal.
    probabilities = (random.random(n) * 0.98).round(2)
    return random.random(n) < probabilities * 0.6, probabilities


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("metric", sorted(METRIC_POLICIES))
def test_no_other_threshold_is_better(metric: str, seed: int) -> None:
    has_left, probabilities = employees(seed)

    def score(threshold: float) -> float:
        flagged = probabilities >= threshold
        if metric == "balanced_accuracy":
            return float(balanced_accuracy_score(has_left, flagged))
        return float(fbeta_score(has_left, flagged, beta=float(metric[1:]), zero_division=0))

    best = max(score(threshold) for threshold in np.unique(probabilities))
    assert score(METRIC_POLICIES[metric].choose(has_left, probabilities)) == pytest.approx(best, abs=1e-12)


def test_a_threshold_lies_between_two_probabilities() -> None:
    has_left = np.array([False, False, True, True])
    assert FBeta(1).choose(has_left, np.array([0.1, 0.2, 0.6, 0.9])) == pytest.approx(0.4)


def test_a_larger_beta_flags_more() -> None:
    has_left, probabilities = employees(0, 2000)
    assert FBeta(2).choose(has_left, probabilities) < FBeta(0.5).choose(has_left, probabilities)


@pytest.mark.parametrize(("miss", "alarm"), [(1.0, 1.0), (5.0, 1.0), (1.0, 4.0)])
def test_a_cost_ratio_costs_least_where_probabilities_are_right(miss: float, alarm: float) -> None:
    random = np.random.default_rng(1)
    probabilities = random.random(200_000)
    has_left = random.random(200_000) < probabilities

    def cost(threshold: float) -> float:
        flagged = probabilities >= threshold
        return float(miss * (has_left & ~flagged).mean() + alarm * (~has_left & flagged).mean())

    chosen = CostRatio(miss, alarm).choose(has_left, probabilities)
    assert cost(chosen) <= min(cost(threshold) for threshold in np.linspace(0, 1, 101)) + 2e-3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("people", [1, 7, 40, 79, 80])
def test_a_capacity_is_never_exceeded_and_as_full_as_ties_allow(people: int, seed: int) -> None:
    has_left, probabilities = employees(seed)
    flagged = int((probabilities >= Capacity(people, 80).choose(has_left, probabilities)).sum())
    assert flagged <= people
    falling = np.sort(probabilities)[::-1]
    if people == 80 or falling[people - 1] != falling[people]:
        assert flagged == people


def test_a_capacity_is_a_share_of_the_company() -> None:
    has_left, probabilities = employees(3, 1000)
    flagged = probabilities[:500] >= Capacity(100, 1000).choose(has_left[:500], probabilities[:500])
    assert 40 <= flagged.sum() <= 50


class TestParsing:
    def test_f2_unless_another_is_asked_for(self) -> None:
        assert parse_policy().name == "f2"
        assert parse_policy("balanced_accuracy").name == "balanced_accuracy"
        assert parse_policy(cost_miss=5).name == "cost:5:1"
        assert parse_policy(cost_miss=5, cost_alarm=0.5).name == "cost:5:0.5"
        assert parse_policy(capacity=60, of=1470).name == "capacity:60"

    def test_what_is_no_policy_says_what_is(self) -> None:
        with pytest.raises(TrainingError, match=r"'recall'.*balanced_accuracy, f0\.5, f1, f2"):
            parse_policy("recall")
        with pytest.raises(TrainingError, match="capacity of 2000: expected from 1 to the 1470 employees"):
            parse_policy(capacity=2000, of=1470)
        with pytest.raises(TrainingError, match="costs of -1 and 1: expected numbers above 0"):
            parse_policy(cost_miss=-1)
        with pytest.raises(TrainingError, match="a capacity and costs cannot both"):
            parse_policy(cost_alarm=1, capacity=3, of=10)
