"""Quick trainings and passed self-tests, for tests about something else."""

from churn.model.self_test import SelfTest
from churn.training.learner import CANDIDATES
from churn.training.plan import Plan

ONE = CANDIDATES[5:6]  # a single candidate: there is nothing to choose
PASSED = SelfTest(failures=(), notes=())
QUICK = Plan(folds=2, repeats=1, candidates=ONE, resamples=0)
