"""Figures of performance: those of scikit-learn where everybody is followed, and known ones where not."""

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from churn.monitoring import calibration, ranking
from churn.monitoring.censoring import FollowUp
from churn.monitoring.interval import student, wilson
from churn.monitoring.performance import Predicted, measure, refusal, slice_of

RANDOM = np.random.default_rng(4)
SCORES = RANDOM.random(300).round(2)  # some alike
LEFT = RANDOM.random(300) < SCORES
ONES = np.ones(300)


class TestRanking:
    def test_without_weights_it_is_what_scikit_learn_says(self) -> None:
        assert ranking.roc_auc(SCORES, LEFT, ONES).value == pytest.approx(roc_auc_score(LEFT, SCORES))
        found = ranking.average_precision(SCORES, LEFT, ONES)
        assert found.value == pytest.approx(average_precision_score(LEFT, SCORES))
        assert found.low < found.value < found.high

    def test_a_weight_is_worth_as_many_people(self) -> None:
        weights = RANDOM.integers(0, 4, 300).astype(float)
        times = weights.astype(int)
        repeated = np.repeat(SCORES, times), np.repeat(LEFT, times)
        for function, expected in (
            (ranking.roc_auc, roc_auc_score),
            (ranking.average_precision, average_precision_score),
        ):
            value = expected(repeated[1], repeated[0])
            assert function(SCORES, LEFT, weights).value == pytest.approx(value)

    def test_a_perfect_order_still_has_an_interval(self) -> None:
        found = ranking.roc_auc(np.arange(30.0), np.arange(30) >= 20, np.ones(30))
        assert found.value == 1.0
        assert 0.6 < found.low < 1.0 == found.high

    def test_it_needs_both(self) -> None:
        with pytest.raises(ValueError, match="leavers and stayers"):
            ranking.roc_auc(SCORES, np.zeros(300, dtype=bool), ONES)


class TestCensoring:
    # Of ten people one leaves after 100 days, one is lost after 200, one leaves after 300.
    DAYS = np.array([100.0, 200.0, 300.0, *[365.0] * 7])
    GONE = np.array([True, False, True, *[False] * 7])

    def test_who_was_lost_is_stood_for_by_those_who_were_followed_for_longer(self) -> None:
        follow_up = FollowUp(self.DAYS, self.GONE, 365.0)
        assert follow_up.weights.tolist() == pytest.approx([1.0, 0.0, *[9 / 8] * 8])
        assert follow_up.weights.sum() == pytest.approx(10)

    def test_the_rate_is_kaplan_and_meiers(self) -> None:
        rate, variance = FollowUp(self.DAYS, self.GONE, 365.0).rate()
        left = 9 / 10 * 7 / 8
        assert rate == pytest.approx(1 - left)
        assert variance == pytest.approx(left**2 * (1 / 90 + 1 / 56))

    def test_who_leaves_on_the_day_on_which_another_is_lost_goes_first(self) -> None:
        follow_up = FollowUp(np.array([50.0, 50.0, 365.0]), np.array([True, False, False]), 365.0)
        assert follow_up.weights.tolist() == pytest.approx([1.0, 0.0, 2.0])

    def test_who_left_after_the_horizon_had_stayed(self) -> None:
        follow_up = FollowUp(np.array([400.0, 365.0]), np.array([True, True]), 365.0)
        assert (follow_up.stayers.tolist(), follow_up.leavers.tolist()) == ([True, False], [False, True])


class TestCalibration:
    def test_the_slope_is_that_of_a_logistic_regression(self) -> None:
        inner = np.clip(SCORES, 0.01, 0.99)
        log_odds = np.log(inner / (1 - inner))
        fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], LEFT)
        found = calibration.slope(inner, LEFT, ONES)
        assert found is not None
        assert found.value == pytest.approx(float(fitted.coef_[0, 0]), abs=1e-5)
        assert found.low < 1 < found.high

    def test_there_is_none_where_it_has_no_end(self) -> None:
        scores = np.linspace(0.1, 0.9, 300)
        assert calibration.slope(scores, scores > 0.5, ONES) is None
        assert calibration.slope(np.full(300, 0.2), LEFT, ONES) is None


class TestIntervals:
    @pytest.mark.parametrize(("people", "low", "high"), [(10, 0.2366, 0.7634), (1000, 0.4691, 0.5309)])
    def test_wilsons(self, people: int, low: float, high: float) -> None:
        found = wilson(0.5, people)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)

    def test_nobody_tells_nothing(self) -> None:
        assert (wilson(0.0, 0).low, wilson(0.0, 0).high) == (0.0, 1.0)

    @pytest.mark.parametrize(("freedom", "quantile"), [(10, 2.228), (23, 2.069), (1000, 1.962)])
    def test_students(self, freedom: int, quantile: float) -> None:
        assert student(freedom) == pytest.approx(quantile, abs=0.003)


def people(leavers: int, stayers: int, lost: int = 0) -> Predicted:
    days = np.array([100.0] * leavers + [365.0] * stayers + [50.0] * lost)
    left = np.array([True] * leavers + [False] * (stayers + lost))
    scores = np.linspace(0.9, 0.1, len(days))
    return Predicted(scores, scores >= 0.5, FollowUp(days, left, 365.0))


class TestRefusals:
    @pytest.mark.parametrize(
        ("predicted", "reason"),
        [(people(19, 50), "leavers"), (people(20, 0, 50), "stayers"), (people(20, 1), None)],
    )
    def test_too_few_of_one_kind(self, predicted: Predicted, reason: str | None) -> None:
        assert refusal(predicted) == reason
        assert (slice_of(predicted).figures is None) == (reason is not None)

    def test_nobody_flagged_has_no_precision(self) -> None:
        predicted = people(20, 50)
        none = Predicted(predicted.probabilities, np.zeros(70, dtype=bool), predicted.follow_up)
        figures = measure(none)
        assert (figures.precision, figures.recall.value) == (None, 0.0)
        assert math.isclose(figures.rate.value, 20 / 70)
