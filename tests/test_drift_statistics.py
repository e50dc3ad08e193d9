"""The statistics of drift, against scipy where it has them, and by simulation with a known truth."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, false_discovery_control

from benchmarks.bench_monitoring import LEAST_POWER, Simulation
from benchmarks.population import Population
from churn.monitoring.chi_square import LEAST_EXPECTED, merged, p_value, survival
from churn.monitoring.false_discovery import discoveries
from churn.monitoring.power import POWER, detectable, rows_for
from churn.monitoring.stability_index import stability_index
from churn.monitoring.window import moments


class TestChiSquare:
    @pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 12, 25, 40])
    def test_its_survival_is_scipys(self, freedom: int) -> None:
        for statistic in (0.0, 0.01, 1.0, 3.84, 10.0, 44.0, 120.0, 900.0):
            assert survival(statistic, freedom) == pytest.approx(chi2.sf(statistic, freedom), rel=1e-10)

    def test_its_p_value_is_that_of_the_contingency_table(self) -> None:
        first, second = [400, 300, 200, 100, 0], [70, 90, 60, 30, 50]
        expected = chi2_contingency([first, second], correction=False).pvalue
        assert p_value(first, second) == pytest.approx(expected, rel=1e-9)

    def test_it_is_the_same_whichever_sample_is_the_reference(self) -> None:
        first, second = [400, 300, 200, 100, 3], [40, 39, 11, 10, 5]
        assert p_value(first, second) == pytest.approx(p_value(second, first), rel=1e-12)

    def test_bins_are_merged_until_each_expects_enough(self) -> None:
        random = np.random.default_rng(0)
        for rows in (30, 100, 1_000):
            first, second = random.multinomial(1_470, [1 / 13] * 13), random.multinomial(rows, [1 / 13] * 13)
            pairs = merged(first.tolist(), second.tolist())
            assert [sum(side) for side in zip(*pairs, strict=True)] == [1_470, rows]
            assert min(a + b for a, b in pairs) * rows / (1_470 + rows) >= LEAST_EXPECTED

    @pytest.mark.parametrize("second", [[0, 0, 0], [9, 9, 0], [500, 0, 0]])
    def test_what_leaves_one_bin_is_no_test(self, second: list[int]) -> None:
        assert p_value([1_470, 0, 0], second) is None


class TestFalseDiscovery:
    def test_it_finds_what_scipy_finds(self) -> None:
        random = np.random.default_rng(1)
        for tests in (1, 2, 24):
            for _ in range(50):
                p_values = random.random(tests) ** 4
                adjusted = false_discovery_control(p_values)
                assert discoveries(p_values.tolist(), 0.05) == (adjusted <= 0.05).tolist()

    def test_no_tests_find_nothing(self) -> None:
        assert discoveries([], 0.05) == []


class TestStabilityIndex:
    def test_it_is_the_formulas(self) -> None:
        expected = 0.1 * math.log(0.6 / 0.5) - 0.1 * math.log(0.4 / 0.5)
        assert stability_index([50, 50], [600, 400]) == pytest.approx(expected)

    def test_samples_that_are_alike_or_empty_have_none(self) -> None:
        assert stability_index([5, 0, 10], [10, 0, 20]) == 0
        assert stability_index([5, 10], [0, 0]) == 0

    def test_a_new_category_leaves_it_finite(self) -> None:
        assert 0.1 < stability_index([100, 0], [90, 10]) < 1


class TestPower:
    def test_the_rows_for_a_shift_detect_that_shift(self) -> None:
        rows = rows_for(0.5, 1_470, 1e-3)
        assert rows is not None
        assert detectable(rows, 1_470, 1e-3) <= 0.5 < detectable(rows - 1, 1_470, 1e-3)

    def test_a_small_reference_detects_it_with_no_number_of_rows(self) -> None:
        assert rows_for(0.5, 20, 1e-3) is None

    def test_a_shift_of_that_size_is_seen_as_often_as_it_says(self) -> None:
        random, level, rows, others = np.random.default_rng(2), 1e-3, 300, 1_470
        shift = detectable(rows, others, level)
        means = random.normal(0, others**-0.5, 4_000), random.normal(shift, rows**-0.5, 4_000)
        z = (means[1] - means[0]) / math.sqrt(1 / rows + 1 / others)
        seen = np.mean([math.erfc(abs(one) / math.sqrt(2)) <= level for one in z])
        assert abs(seen - POWER) < 0.03


def test_moments_are_those_of_the_sample() -> None:
    sample = np.random.default_rng(3).normal(-2, 1.5, 500)
    found = moments(len(sample), float(sample.sum()), float(np.square(sample).sum()))
    assert (found.mean, found.variance) == pytest.approx((sample.mean(), sample.var(ddof=1)))
    assert moments(1, 2.0, 4.0).variance == 0


class TestBySimulation:
    """The same draws in each run. `make bench-monitoring` has more of them."""

    def test_half_a_year_without_drift_seldom_alarms(self) -> None:
        population, random, alarms = Population(20_000), np.random.default_rng(4), 0
        for _ in range(24):
            simulation = Simulation(population, random)
            alarms += any(simulation.calm(50)[0] for _ in range(26))
        assert alarms <= 2

    def test_what_moves_is_seen(self) -> None:
        population, random = Population(20_000), np.random.default_rng(5)
        simulations = [Simulation(population, random) for _ in range(12)]
        for drift in LEAST_POWER:
            seen = sum(simulation.drifted(drift)[0] for simulation in simulations)
            assert seen >= 9, drift
