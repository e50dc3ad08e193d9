"""Nested cross-validation: what a model learned from some employees makes of the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from churn.dictionary.field import Field
from churn.training.candidates import Candidate
from churn.training.evaluation import MeanSd, OutOfFold, score, score_decisions, summarise_folds
from churn.training.learner import Learner, probabilities
from churn.training.plan import Plan, Workers
from churn.training.thresholds import HasLeft, Policy, Probabilities


@dataclass(frozen=True, slots=True)
class Fold:
    """The employees of one outer fold, as the model that was learned from the others sees them.

    `core_only` are their probabilities with nothing but the core fields given; `thresholds` were
    chosen on inner folds, one by each policy.
    """

    outside: NDArray[np.intp]
    candidate: Candidate
    probabilities: Probabilities
    core_only: Probabilities
    thresholds: tuple[float, ...]


def cross_validate(
    learner: Learner,
    table: pd.DataFrame,
    has_left: HasLeft,
    policies: Sequence[Policy],
    plan: Plan,
    workers: Workers,
) -> list[Fold]:
    """Return every fold of every repeat, in order."""
    splits = plan.splits.split(table, has_left)
    return workers.each(measure, ((learner, table, has_left, policies, *split) for split in splits))


def measure(
    learner: Learner,
    table: pd.DataFrame,
    has_left: HasLeft,
    policies: Sequence[Policy],
    inside: NDArray[np.intp],
    outside: NDArray[np.intp],
) -> Fold:
    """Learn from the rows `inside`, thresholds too, and apply it to those `outside`."""
    learned = learner(table.iloc[inside], has_left[inside])
    unseen = table.iloc[outside]
    return Fold(
        outside,
        learned.candidate,
        probabilities(learned.pipeline, unseen),
        probabilities(learned.pipeline, _only_core(unseen, learner.fields)),
        tuple(learned.threshold(policy) for policy in policies),
    )


def _only_core(table: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    unknown = dict.fromkeys(field.name for field in fields if field.role != "core")
    return table.assign(**unknown).astype(table.dtypes)


def out_of_fold(folds: Sequence[Fold], has_left: HasLeft, plan: Plan, policy: int = 0) -> OutOfFold:
    """Return everyone's probability and, by one of the policies, decision."""
    decisions = OutOfFold.empty(has_left, plan.repeats)
    for number, fold in enumerate(folds):
        repeat, threshold = number // plan.folds, fold.thresholds[policy]
        decisions.probabilities[repeat, fold.outside] = fold.probabilities
        decisions.thresholds[repeat, fold.outside] = threshold
        decisions.flagged[repeat, fold.outside] = fold.probabilities >= threshold
    return decisions


def metrics(folds: Sequence[Fold], decisions: OutOfFold) -> dict[str, MeanSd]:
    """Return the figures of the folds, those of the policy in force's decisions included."""
    rows = [_score(fold, decisions.has_left[fold.outside]) for fold in folds]
    return summarise_folds(rows, decisions.has_left, decisions.probabilities)


def _score(fold: Fold, has_left: HasLeft) -> dict[str, float]:
    threshold = fold.thresholds[0]
    return {
        **score(has_left, fold.probabilities),
        "roc_auc_core_only": score(has_left, fold.core_only)["roc_auc"],
        **score_decisions(has_left, fold.probabilities >= threshold),
        "threshold": threshold,
    }
