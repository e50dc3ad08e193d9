"""Quick trainings and passed self-tests, for tests about something else."""

from dataclasses import replace
from typing import Any

from churn.model.self_test import SelfTest
from churn.training import TrainedModel, train
from churn.training.candidates import CANDIDATES
from churn.training.plan import Plan

ONE = CANDIDATES[5:6]  # a single candidate: there is nothing to choose
PASSED = SelfTest(failures=(), notes=())
QUICK = Plan(folds=2, repeats=1, candidates=ONE, resamples=0)


def train_quickly(*arguments: Any, plan: Plan, **options: Any) -> TrainedModel:
    """Train as planned, but with a single candidate, and in no other process; in the place of `train`."""
    return train(*arguments, plan=replace(plan, candidates=ONE, jobs=1), **options)
