"""The fairness audit, on decisions whose figures are known."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from churn.dictionary.technova import TECHNOVA
from churn.training.evaluation import OutOfFold
from churn.training.fairness import Audit, audit, least_over_largest, verdict


@pytest.fixture(scope="module")
def company() -> tuple[pd.DataFrame, OutOfFold]:
    """Return 400 women of whom a quarter are flagged, 400 men of whom half are; 8 of unknown gender."""
    rows = 808
    genre = pd.Categorical(["F"] * 400 + ["M"] * 400 + [None] * 8, categories=["F", "M"])
    ages = np.r_[np.full(20, 25.0), np.full(rows - 20, 40.0)]
    employees = pd.DataFrame({"genre": genre, "age": ages, "statut_marital": None, "departement": None})
    has_left = np.arange(rows) % 4 == 0
    found = OutOfFold.empty(has_left, repeats=2)
    found.flagged[0, :400] = np.arange(400) % 4 == 0  # exactly those who left
    found.flagged[0, 400:800] = np.arange(400) % 2 == 0  # and as many others
    found.probabilities[0] = np.where(np.arange(rows) < 400, 0.25, 0.45)
    return employees, found


def test_the_figures_of_each_group(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit(TECHNOVA.by_name["genre"], *company, 0)
    assert found is not None
    women, men = found.groups
    assert (women.group, women.n, women.departures, women.small) == ("F", 400, 100, False)
    assert (women.selection_rate.value, men.selection_rate.value) == (0.25, 0.5)
    assert (women.recall.value, men.recall.value) == (1, 1)
    assert (women.precision.value, men.precision.value) == (1, 0.5)
    assert women.calibration_gap.value == pytest.approx(0)
    assert men.calibration_gap.value == pytest.approx(0.2)


def test_the_four_fifths_rule(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit(TECHNOVA.by_name["genre"], *company, 0)
    assert found is not None
    assert found.ratio.value == pytest.approx(0.5)
    assert found.four_fifths == "fails"
    employees, decisions = company
    alike = OutOfFold(
        decisions.has_left, decisions.probabilities, np.ones_like(decisions.flagged), decisions.thresholds
    )
    fair = audit(TECHNOVA.by_name["genre"], employees, alike, 0)
    assert fair is not None
    assert fair.four_fifths == "passes"


def by_department(sizes: Sequence[int], flagged: NDArray[np.bool_]) -> Audit:
    """Return the audit of departments of these sizes, of whose employees these are flagged."""
    categories = TECHNOVA.by_name["departement"].categories
    codes = np.repeat(np.arange(len(sizes)), sizes).astype(np.int8)
    employees = pd.DataFrame(
        {"departement": pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(categories)))}
    )
    decisions = OutOfFold.empty(np.arange(len(codes)) % 4 == 0, repeats=1)
    decisions.flagged[0] = flagged
    found = audit(TECHNOVA.by_name["departement"], employees, decisions, 0)
    assert found is not None
    return found


@pytest.mark.parametrize("sizes", [(500, 100), (400, 300, 100), (150,) * 8, (1000, 200, 100)], ids=str)
@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_flags_by_lot_do_not_fail_whatever_the_groups(sizes: tuple[int, ...], rate: float) -> None:
    random = np.random.default_rng(4)
    lots = [[(int(random.binomial(size, rate)), size) for size in sizes] for _ in range(200)]
    verdicts = [verdict(least_over_largest(lot, seed)) for seed, lot in enumerate(lots)]
    assert verdicts.count("fails") <= 10  # one in twenty


def test_a_small_group_decides_nothing_and_is_in_no_ratio() -> None:
    flagged = np.r_[np.arange(800) % 4 == 0, np.zeros(5, dtype=bool)]
    found = by_department((400, 400, 5), flagged)
    assert [group.small for group in found.groups] == [False, False, True]
    assert found.ratio.value == pytest.approx(1)
    assert found.four_fifths == "cannot_tell"  # of 400 and 400, a hundred each: 0.8 is within reach
    alone = by_department((400, 5), flagged[-405:])
    assert (alone.ratio.value, alone.four_fifths) == (None, "cannot_tell")


def test_a_large_group_that_few_have_left_is_compared_all_the_same() -> None:
    flagged = np.r_[np.arange(400) % 2 == 0, np.zeros(400, dtype=bool)]
    found = by_department((400, 400), flagged)
    assert found.ratio.value == 0
    assert found.ratio.low == 0 < found.ratio.high < 0.1  # type: ignore[operator]
    assert found.four_fifths == "fails"


def test_where_nobody_is_flagged_nothing_can_be_told() -> None:
    found = by_department((400, 400), np.zeros(800, dtype=bool))
    assert (found.ratio.value, found.four_fifths) == (None, "cannot_tell")


def test_the_intervals_hold_the_figure_and_are_narrower_of_larger_groups(
    company: tuple[pd.DataFrame, OutOfFold],
) -> None:
    found = audit(TECHNOVA.by_name["age"], *company)
    assert found is not None
    young, older = found.groups
    for group in found.groups:
        rate = group.selection_rate
        assert None not in (rate.value, rate.low, rate.high)
        assert rate.low <= rate.value <= rate.high  # type: ignore[operator]
    assert older.selection_rate.high - older.selection_rate.low < 0.1  # type: ignore[operator]
    assert young.selection_rate.high - young.selection_rate.low > 0.2  # type: ignore[operator]


def test_small_groups_are_said_to_be_small(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit(TECHNOVA.by_name["age"], *company, 10)
    assert found is not None
    assert {group.group: group.small for group in found.groups} == {"18–29": True, "40–49": False}
    assert {group.group: group.few_departures for group in found.groups} == {"18–29": True, "40–49": False}


def test_without_resamples_the_groups_have_no_intervals(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit(TECHNOVA.by_name["genre"], *company, 0)
    assert found is not None
    assert found.ratio.low < 0.5 < found.ratio.high  # type: ignore[operator]
    assert found.groups[0].recall.high is None


def test_a_field_that_is_unknown_is_not_audited(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    assert audit(TECHNOVA.by_name["statut_marital"], *company) is None


def test_a_group_of_which_nobody_left_has_no_recall(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    employees, decisions = company
    none = OutOfFold(
        np.zeros_like(decisions.has_left), decisions.probabilities, decisions.flagged, decisions.thresholds
    )
    found = audit(TECHNOVA.by_name["genre"], employees, none, 0)
    assert found is not None
    assert found.groups[0].recall.value is None
    assert found.groups[0].precision.value == 0
