"""The 95 % intervals of shares."""

import math
from statistics import NormalDist

from churn.schemas.performance_report import Interval

WIDE = NormalDist().inv_cdf(0.975)


def student(freedom: float) -> float:
    """Return Student's quantile in place of WIDE (R. Fisher and E. Cornish, 1960, the first two terms)."""
    first = (WIDE**3 + WIDE) / (4 * freedom)
    return WIDE + first + (5 * WIDE**5 + 16 * WIDE**3 + 3 * WIDE) / (96 * freedom**2)


def wilson(share: float, people: float) -> Interval:
    """Return Wilson's interval (1927) of a share of so many people, who may be fewer for being weighted."""
    if people <= 0:
        return Interval(share, 0.0, 1.0)
    square = WIDE * WIDE
    middle = (share + square / (2 * people)) / (1 + square / people)
    reach = WIDE * math.sqrt(share * (1 - share) / people + square / (4 * people * people))
    reach /= 1 + square / people
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach))


def on_logit(share: float, error: float) -> Interval:
    """Return the interval of a share whose log-odds are about normal; `error` is its standard error."""
    log_odds = math.log(share / (1 - share))
    reach = WIDE * error / (share * (1 - share))
    return Interval(share, _logistic(log_odds - reach), _logistic(log_odds + reach))


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0
