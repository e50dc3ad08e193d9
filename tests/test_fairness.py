"""The fairness audit, on decisions whose figures are known."""

import numpy as np
import pandas as pd
import pytest

from churn.training.evaluation import OutOfFold
from churn.training.fairness import audit


@pytest.fixture(scope="module")
def company() -> tuple[pd.DataFrame, OutOfFold]:
    """Return 400 women of whom a quarter are flagged, 400 men of whom half are; 8 of unknown gender."""
    rows = 808
    genre = pd.Categorical(["F"] * 400 + ["M"] * 400 + [None] * 8, categories=["F", "M"])
    ages = np.r_[np.full(20, 25.0), np.full(rows - 20, 40.0)]
    employees = pd.DataFrame({"genre": genre, "age": ages, "statut_marital": None, "departement": None})
    left = np.arange(rows) % 4 == 0
    found = OutOfFold.empty(left, repeats=2)
    found.flagged[0, :400] = np.arange(400) % 4 == 0  # exactly those who left
    found.flagged[0, 400:800] = np.arange(400) % 2 == 0  # and as many others
    found.probabilities[0] = np.where(np.arange(rows) < 400, 0.25, 0.45)
    return employees, found


def test_the_figures_of_each_group(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit("genre", *company, 0)
    assert found is not None
    women, men = found.groups
    assert (women.group, women.n, women.departures, women.small) == ("F", 400, 100, False)
    assert (women.selection_rate.value, men.selection_rate.value) == (0.25, 0.5)
    assert (women.recall.value, men.recall.value) == (1, 1)
    assert (women.precision.value, men.precision.value) == (1, 0.5)
    assert women.calibration_gap.value == pytest.approx(0)
    assert men.calibration_gap.value == pytest.approx(0.2)


def test_the_four_fifths_rule(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit("genre", *company, 0)
    assert found is not None
    assert found.ratio.value == pytest.approx(0.5)
    assert not found.passes_four_fifths
    employees, decisions = company
    alike = OutOfFold(
        decisions.left, decisions.probabilities, np.ones_like(decisions.flagged), decisions.thresholds
    )
    fair = audit("genre", employees, alike, 0)
    assert fair is not None
    assert fair.passes_four_fifths


def test_the_intervals_hold_the_figure_and_are_narrower_of_larger_groups(
    company: tuple[pd.DataFrame, OutOfFold],
) -> None:
    found = audit("age", *company)
    assert found is not None
    young, older = found.groups
    for group in found.groups:
        rate = group.selection_rate
        assert None not in (rate.value, rate.low, rate.high)
        assert rate.low <= rate.value <= rate.high  # type: ignore[operator]
    assert older.selection_rate.high - older.selection_rate.low < 0.1  # type: ignore[operator]
    assert young.selection_rate.high - young.selection_rate.low > 0.2  # type: ignore[operator]


def test_small_groups_are_said_to_be_small(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit("age", *company, 10)
    assert found is not None
    assert {group.group: group.small for group in found.groups} == {"18–29": True, "40–49": False}


def test_without_resamples_there_are_no_intervals(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    found = audit("genre", *company, 0)
    assert found is not None
    assert found.ratio.value == pytest.approx(0.5)
    assert found.ratio.low is None
    assert found.groups[0].recall.high is None


def test_a_field_that_is_unknown_is_not_audited(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    assert audit("statut_marital", *company) is None


def test_a_group_of_which_nobody_left_has_no_recall(company: tuple[pd.DataFrame, OutOfFold]) -> None:
    employees, decisions = company
    none = OutOfFold(
        np.zeros_like(decisions.left), decisions.probabilities, decisions.flagged, decisions.thresholds
    )
    found = audit("genre", employees, none, 0)
    assert found is not None
    assert found.groups[0].recall.value is None
    assert found.groups[0].precision.value == 0
