"""Trainings that are quick and self-tests that passed, for tests that are about something else."""

from churn.model.self_test import SelfTest
from churn.training.learner import CANDIDATES
from churn.training.plan import Plan

ONE = CANDIDATES[5:6]  # nothing to choose
PASSED = SelfTest(failures=(), notes=())
QUICK = Plan(folds=2, repeats=1, candidates=ONE, resamples=0)
