"""Whether those who are said to leave with some probability do so as often."""

import math

import numpy as np
from numpy.typing import NDArray

from churn.monitoring.interval import WIDE
from churn.schemas.performance_report import Interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEPS, CLOSE = 50, 1e-10


def slope(probabilities: Floats, has_left: Flags, weights: Floats) -> Interval | None:
    """Return the slope of a logistic regression on the predicted log-odds, all (people,); 1 is calibrated.

    Below 1 the predictions are too far apart, above 1 too close (D. Cox, "Two further applications of a model
    for binary regression", 1958). The interval is robust, since the weights are no counts. None where it has
    no end, as when all who left rank above all who stayed.
    """
    known = weights > 0
    log_odds = _log_odds(probabilities[known])
    design = np.column_stack([np.ones(len(log_odds)), log_odds])
    left, weight = has_left[known].astype(float), weights[known]
    betas = np.array([0.0, 1.0])
    for _ in range(STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(design @ betas, -30, 30)))
        information = design.T @ (design * (weight * fitted * (1 - fitted))[:, None])
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, design.T @ (weight * (left - fitted)))
        betas = betas + step
        if np.abs(step).max() < CLOSE:
            break
    else:
        return None
    scores = design * (weight * (left - fitted))[:, None]
    inverse = np.linalg.inv(information)
    error = math.sqrt((inverse @ (scores.T @ scores) @ inverse)[1, 1])
    return Interval(float(betas[1]), float(betas[1] - WIDE * error), float(betas[1] + WIDE * error))


def _log_odds(probabilities: Floats) -> Floats:
    inner = np.clip(probabilities, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inner / (1 - inner)))
