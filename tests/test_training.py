"""Training: honest figures, a threshold that is chosen inside the folds, and refusals that say what to do."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from churn.core.errors import TrainingError
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.model.sample import make_employees, write_sample
from churn.training import TrainedModel, train
from churn.training.candidates import Candidate
from churn.training.learner import Learner
from churn.training.plan import Plan
from churn.training.training_report import TrainingReport
from tests.support.plans import ONE, QUICK

PLAN = Plan(folds=2, repeats=2, candidates=ONE, resamples=2)
# Half of the fields, for what is the same with all of them and takes twice as long.
FIELDS = (*TECHNOVA.core, *(field for field in TECHNOVA.features if field.role != "core"))[:12]


@pytest.fixture(scope="module")
def employees(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    directory = tmp_path_factory.mktemp("extracts")
    write_sample(directory, rows=400)
    return extracts.read(directory, TECHNOVA)


@pytest.fixture(scope="module")
def trained(employees: pd.DataFrame) -> TrainedModel:
    return train(employees, TECHNOVA, plan=PLAN)


@pytest.fixture(scope="module")
def of_half(employees: pd.DataFrame) -> TrainedModel:
    return train(employees, TECHNOVA, fields=FIELDS, plan=PLAN)


def with_departures(employees: pd.DataFrame, departures: int, rows: int) -> pd.DataFrame:
    target = pd.Categorical(
        ["Oui"] * departures + ["Non"] * (rows - departures), categories=list(TECHNOVA.target.categories)
    )
    return employees.head(rows).assign(**{TECHNOVA.target.name: target})


def test_no_figure_is_better_than_chance_where_there_is_nothing_to_learn(employees: pd.DataFrame) -> None:
    shuffled = employees[TECHNOVA.target.name].sample(frac=1, random_state=3).to_numpy()
    metrics = train(
        employees.assign(**{TECHNOVA.target.name: shuffled}), TECHNOVA, plan=replace(PLAN, folds=4)
    ).report.metrics
    assert metrics["roc_auc"].mean == pytest.approx(0.5, abs=0.1)
    # To flag everyone is the best that can be done: F2 of a recall of 1 at the base rate.
    rate = float((employees[TECHNOVA.target.name] == TECHNOVA.left).mean())
    assert metrics["f2"].mean <= 5 * rate / (4 * rate + 1) + 0.02


def test_the_same_seed_gives_the_same_model(employees: pd.DataFrame, of_half: TrainedModel) -> None:
    again = train(employees, TECHNOVA, fields=FIELDS, plan=PLAN)
    assert again.report == of_half.report
    other = train(employees, TECHNOVA, fields=FIELDS, plan=replace(PLAN, seed=1))
    assert other.report.metrics != of_half.report.metrics


def test_progress_is_told_of_every_fold(employees: pd.DataFrame) -> None:
    told: list[tuple[int, int]] = []
    train(employees, TECHNOVA, fields=FIELDS[:2], plan=QUICK, progress=lambda *step: told.append(step))
    # Learning from all rows, two folds, and four audits.
    assert told == [(done, 7) for done in range(8)]


class TestReport:
    def test_says_what_was_trained_on(self, trained: TrainedModel, employees: pd.DataFrame) -> None:
        report = trained.report
        assert report.n_rows == len(employees)
        assert report.fields == tuple(field.name for field in TECHNOVA.features)
        assert report.left_out == tuple(field.name for field in TECHNOVA.protected)
        assert report.threshold == trained.threshold
        assert report.threshold.policy == "f2"
        incomes = employees["revenu_mensuel"]
        assert report.seen["revenu_mensuel"] == (incomes.min(), incomes.max())
        assert set(report.seen) == {field.name for field in TECHNOVA.fields if field.numeric}

    def test_has_mean_and_spread_of_every_figure(self, trained: TrainedModel) -> None:
        assert {"roc_auc", "average_precision", "brier", "f2", "recall", "precision"} <= set(
            trained.report.metrics
        )
        for spread in trained.report.metrics.values():
            assert 0 <= spread.mean <= 1
            assert 0 <= spread.sd < 0.5

    def test_compares_the_policy_in_force_with_others(self, trained: TrainedModel) -> None:
        first, *others = trained.report.choices
        assert (first.policy, first.threshold) == ("f2", trained.threshold.value)
        assert {"f1", "balanced_accuracy", "cost:10:1", "capacity:40"} <= {one.policy for one in others}
        for one in trained.report.choices:
            assert one.found + one.missed == trained.report.n_departures
            assert one.found + one.false_alarms == pytest.approx(one.flagged)
        flagged = trained.report.metrics["flagged"].mean * trained.report.n_rows
        assert first.flagged == pytest.approx(flagged, rel=0.01)

    def test_audits_the_groups_that_the_model_does_not_see(self, trained: TrainedModel) -> None:
        audited = [one.field for one in trained.report.fairness]
        assert audited == ["genre", "age", "statut_marital", "departement"]
        for one in trained.report.fairness:
            assert sum(group.n for group in one.groups) == trained.report.n_rows

    def test_survives_json(self, trained: TrainedModel) -> None:
        plain = trained.report.to_dict()
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain

    def test_counts_what_is_unknown_and_gives_no_range_where_all_is(self, employees: pd.DataFrame) -> None:
        holed = employees.assign(niveau_education=np.nan)
        holed.loc[:9, "revenu_mensuel"] = np.nan
        report = train(holed, TECHNOVA, plan=QUICK).report
        unknown = {one.name: one.unknown for one in report.summaries if one.unknown}
        assert unknown == {"revenu_mensuel": 10, "niveau_education": len(employees)}
        assert "niveau_education" not in report.seen

    def test_protected_fields_are_inputs_only_where_asked(self, employees: pd.DataFrame) -> None:
        report = train(employees, TECHNOVA, fields=(*TECHNOVA.core, *TECHNOVA.protected), plan=QUICK).report
        assert set(report.left_out) == {f.name for f in TECHNOVA.features} - {f.name for f in TECHNOVA.core}
        assert set(report.fields) == {field.name for field in (*TECHNOVA.core, *TECHNOVA.protected)}


class TestRefusals:
    def test_too_few_employees(self, employees: pd.DataFrame) -> None:
        with pytest.raises(TrainingError, match="only 49 employees: expected at least 50"):
            train(with_departures(employees, 20, 49), TECHNOVA)

    @pytest.mark.parametrize(("departures", "says"), [(0, "no employee has left"), (80, "every employee")])
    def test_one_class_only(self, employees: pd.DataFrame, departures: int, says: str) -> None:
        with pytest.raises(TrainingError, match=says):
            train(with_departures(employees, departures, 80), TECHNOVA)

    @pytest.mark.parametrize("departures", [8, 72])
    def test_too_few_of_a_kind_for_the_folds(self, employees: pd.DataFrame, departures: int) -> None:
        with pytest.raises(TrainingError, match=f"only {departures} of 80 .* for 5 folds"):
            train(with_departures(employees, departures, 80), TECHNOVA)

    def test_as_few_as_are_accepted_are_enough(self, employees: pd.DataFrame) -> None:
        report = train(with_departures(employees, 9, 50), TECHNOVA, plan=replace(QUICK, folds=5)).report
        assert report.n_departures == 9

    def test_a_field_that_the_table_lacks(self, employees: pd.DataFrame) -> None:
        with pytest.raises(TrainingError, match="no column 'poste', 'revenu_mensuel'"):
            train(employees.drop(columns=["revenu_mensuel", "poste"]), TECHNOVA)

    def test_the_target_as_an_input(self, employees: pd.DataFrame) -> None:
        with pytest.raises(TrainingError, match="a_quitte_l_entreprise"):
            train(employees, TECHNOVA, fields=(*TECHNOVA.core, TECHNOVA.target))
        with pytest.raises(TrainingError, match="employee_id"):
            train(employees, TECHNOVA, fields=(*TECHNOVA.core, TECHNOVA.identifier))

    def test_a_single_fold(self, employees: pd.DataFrame) -> None:
        with pytest.raises(TrainingError, match="folds = 1: expected at least 2"):
            train(employees, TECHNOVA, plan=replace(QUICK, folds=1))


def test_the_threshold_is_chosen_on_rows_that_its_model_has_not_seen() -> None:
    # Where leaving is pure chance, only a model that has seen the answers tells who left.
    employees = make_employees(200, seed=4)
    has_left = np.random.default_rng(5).permutation(np.repeat([True, False], 100))
    table = employees[[field.name for field in TECHNOVA.features]]
    learned = Learner(TECHNOVA.features)(table, has_left)
    assert roc_auc_score(has_left, learned.held_out) < 0.7
    assert roc_auc_score(has_left, learned.pipeline.predict_proba(table)[:, 1]) > 0.8
    spy = Spy()
    learned.threshold(spy)
    assert spy.told is learned.held_out


class Spy:
    """A policy that notes what it is told."""

    name = "spy"
    told: NDArray[np.float64]

    def choose(self, has_left: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
        self.told = probabilities
        return 0.5


def test_the_penalty_and_the_shape_follow_the_rows(employees: pd.DataFrame) -> None:
    table = employees[[field.name for field in TECHNOVA.features]]
    has_left = (employees[TECHNOVA.target.name] == TECHNOVA.left).to_numpy(dtype=bool)
    noise = np.random.default_rng(6).permutation(has_left)
    far = (Candidate(4, 3, 0.001), Candidate(6, 1, 1.0))
    assert Learner(TECHNOVA.features, far)(table, has_left).candidate == far[1]
    assert Learner(TECHNOVA.features, far)(table, noise).candidate == far[0]


def test_several_processes_find_the_same(employees: pd.DataFrame, of_half: TrainedModel) -> None:
    assert train(employees, TECHNOVA, fields=FIELDS, plan=replace(PLAN, jobs=2)).report == of_half.report


@pytest.fixture(scope="module")
def challenged(employees: pd.DataFrame) -> TrainingReport:
    told: list[tuple[int, int]] = []
    plan = replace(QUICK, challenge=True)
    report = train(
        employees, TECHNOVA, fields=FIELDS, plan=plan, progress=lambda *step: told.append(step)
    ).report
    assert told[-1][0] == told[-1][1]
    return report


class TestChallengers:
    def test_every_kind_takes_part_on_the_same_figures(self, challenged: TrainingReport) -> None:
        names = [challenger.name for challenger in challenged.challengers]
        assert names == ["with_protected", "core_only", "linear", "forest", "boosting", "ebm"]
        for challenger in challenged.challengers:
            assert set(challenger.metrics) < set(challenged.metrics)
            assert 0.55 < challenger.metrics["roc_auc"].mean < 1

    def test_the_fields_of_the_two_additive_ones_are_other(
        self, challenged: TrainingReport, employees: pd.DataFrame
    ) -> None:
        metrics = {challenger.name: challenger.metrics for challenger in challenged.challengers}
        core = train(employees, TECHNOVA, fields=TECHNOVA.core, plan=QUICK).report.metrics
        everything = (*FIELDS, *TECHNOVA.protected)
        protected = train(employees, TECHNOVA, fields=everything, plan=QUICK).report.metrics
        assert metrics["core_only"]["roc_auc"] == core["roc_auc"]
        assert metrics["with_protected"]["roc_auc"] == protected["roc_auc"]

    def test_there_are_none_unless_asked_for(self, trained: TrainedModel) -> None:
        assert trained.report.challengers == ()
