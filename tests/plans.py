"""Plans of training that are quick, for tests that are not about how good the model is."""

from churn.training.learner import CANDIDATES
from churn.training.plan import Plan

ONE = CANDIDATES[5:6]  # nothing to choose
QUICK = Plan(folds=2, repeats=1, candidates=ONE, resamples=0)
