"""Training: learn, measure honestly, audit. Touches no file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from churn.core.progress import Progress
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.reference import Reference
from churn.training import challengers, crossvalidation, fairness
from churn.training.challengers import Challenger
from churn.training.checks import check_fields, check_size
from churn.training.crossvalidation import Fold, out_of_fold
from churn.training.evaluation import OutOfFold, confusion, curves
from churn.training.learner import Learned, Learner
from churn.training.plan import Plan, Workers
from churn.training.reference_figures import refer
from churn.training.signal import measure_signal
from churn.training.summary import summarise
from churn.training.thresholds import METRIC_POLICIES, Capacity, CostRatio, FBeta, Policy, Threshold
from churn.training.training_report import Choice, TrainingReport

# What the report compares the policy in force with; capacities are shares of the company.
CAPACITIES = (0.05, 0.1, 0.2)
COSTS = (CostRatio(1, 1), CostRatio(3, 1), CostRatio(10, 1))


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The pipeline fitted on all rows, its threshold, the report, and what monitoring compares with."""

    pipeline: Pipeline
    threshold: Threshold
    report: TrainingReport
    reference: Reference


def train(
    employees: pd.DataFrame,
    dictionary: Dictionary,
    *,
    fields: Sequence[Field] | None = None,
    policy: Policy | None = None,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> TrainedModel:
    """Train on a table as `extracts.read` returns it.

    Unless others are given, the fields are all that are not protected, and the policy is F2. Everything is
    learned inside the folds: the curves' shape and knots, the penalty, the calibration, the threshold.
    `progress` is told the steps done and the steps in all.

    Raises:
        TrainingError: a field cannot be learned from, or there are too few rows, departures or folds.
    """
    plan = plan or Plan()
    fields = dictionary.features if fields is None else fields
    check_fields(employees, fields, dictionary)
    has_left = have_left(employees, dictionary)
    check_size(has_left, plan.folds, dictionary.target)
    table = employees[[field.name for field in fields]]
    learner = Learner(tuple(fields), plan.candidates, plan.seed)
    entrants = challengers.entrants(fields, learner, dictionary.protected) if plan.challenge else {}
    audited = [dictionary.by_name[name] for name in dictionary.audited]
    steps = plan.folds * plan.repeats * (1 + len(entrants)) + 1 + len(audited)
    workers = Workers(plan.jobs, steps, progress)

    policies = _policies(policy or FBeta(), len(has_left))
    [learned] = workers.each(learner, [(table, has_left)])
    folds = crossvalidation.cross_validate(learner, table, has_left, policies, plan, workers)
    decisions = out_of_fold(folds, has_left, plan)
    audits = workers.each(
        fairness.audit, ((field, employees, decisions, plan.resamples, plan.seed) for field in audited)
    )
    measured = (
        Challenger(name, challengers.measure(predict, employees, has_left, plan, workers))
        for name, predict in entrants.items()
    )
    results = _Results(
        plan, policies, learned, folds, decisions, tuple(filter(None, audits)), tuple(measured)
    )
    threshold, report = results.threshold, results.report(employees, fields, dictionary)
    reference = refer(learned.pipeline, table, threshold.value, dictionary)
    return TrainedModel(learned.pipeline, threshold, report, reference)


@dataclass(frozen=True, slots=True)
class _Results:
    """What came out of a training."""

    plan: Plan
    policies: Sequence[Policy]  # the one in force first
    learned: Learned
    folds: Sequence[Fold]
    decisions: OutOfFold  # by the policy in force, out of fold
    audits: tuple[fairness.Audit, ...]
    challengers: tuple[Challenger, ...]

    @property
    def threshold(self) -> Threshold:
        """The threshold of the policy in force."""
        return Threshold(self.learned.threshold(self.policies[0]), self.policies[0].name)

    def report(
        self, employees: pd.DataFrame, fields: Sequence[Field], dictionary: Dictionary
    ) -> TrainingReport:
        """Return the report on a model of these fields."""
        has_left, plan = self.learned.has_left, self.plan
        return TrainingReport(
            n_rows=len(has_left),
            n_departures=int(has_left.sum()),
            fields=tuple(field.name for field in fields),
            left_out=tuple(f.name for f in (*dictionary.features, *dictionary.protected) if f not in fields),
            candidate=self.learned.candidate,
            chosen=tuple(fold.candidate for fold in self.folds),
            metrics=crossvalidation.metrics(self.folds, self.decisions),
            signal=measure_signal(self.folds, has_left, plan),
            threshold=self.threshold,
            folds=plan.folds,
            repeats=plan.repeats,
            seed=plan.seed,
            summaries=summarise(employees, dictionary),
            curves=curves(self.decisions),
            choices=tuple(map(self._choice, range(len(self.policies)))),
            fairness=self.audits,
            challengers=self.challengers,
        )

    def _choice(self, number: int) -> Choice:
        counts = confusion(out_of_fold(self.folds, self.learned.has_left, self.plan, number))
        return Choice(
            policy=self.policies[number].name,
            threshold=self.learned.threshold(self.policies[number]),
            flagged=counts.true_positives + counts.false_positives,
            found=counts.true_positives,
            missed=counts.false_negatives,
            false_alarms=counts.false_positives,
        )


def have_left(employees: pd.DataFrame, dictionary: Dictionary) -> NDArray[np.bool_]:
    """Return whether each employee has left, by the target's column."""
    return (employees[dictionary.target.name] == dictionary.left).to_numpy(dtype=bool)


def _policies(chosen: Policy, rows: int) -> list[Policy]:
    """Return the policy in force, and what it is compared with."""
    capacities = [Capacity(max(1, round(share * rows)), rows) for share in CAPACITIES]
    others = [*METRIC_POLICIES.values(), *COSTS, *capacities]
    return [chosen, *(policy for policy in others if policy.name != chosen.name)]
