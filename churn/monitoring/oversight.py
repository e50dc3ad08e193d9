"""How often people disagree with the model, and who was right."""

import math
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

import numpy as np

from churn.monitoring.followed_rows import FollowedRows
from churn.monitoring.interval import wilson
from churn.monitoring.performance import share
from churn.records.reviewed import ReviewedPrediction
from churn.schemas.oversight_report import Disagreement, Hindsight, OversightVerdict

RARE, UNLUCKY = 0.05, 0.05
# Where people disagree with one prediction in twenty, that many reviews without any disagreement have a
# probability below 5%: 0.95 ** 59 = 0.048. Where one in twenty is reviewed, the same holds.
ENOUGH = math.ceil(math.log(UNLUCKY) / math.log(1 - RARE))


def verdict(predictions: int, whole: Disagreement) -> OversightVerdict:
    """Return what the numbers say."""
    if whole.disagreed:
        return "overseen"
    if whole.reviewed:
        return "unanimous" if whole.reviewed >= ENOUGH else "too_few"
    if predictions >= ENOUGH:
        return "unreviewed"
    return "too_few" if predictions else "empty"


def disagreement(
    reviewed: Collection[ReviewedPrediction], field: str | None = None, name: str | None = None
) -> Disagreement:
    """Return how often people disagree with some predictions."""
    count, disagreed = len(reviewed), sum(one.disagrees for one in reviewed)
    interval = wilson(disagreed / count, count) if count else None
    return Disagreement(count, disagreed, interval, field, name)


def by_name(
    named: Iterable[tuple[str | None, ReviewedPrediction]], field: str | None = None
) -> list[Disagreement]:
    """Return how often people disagree by a name of each prediction, where it has one: most reviews first."""
    groups: dict[str, list[ReviewedPrediction]] = {}
    for name, one in named:
        if name is not None:
            groups.setdefault(name, []).append(one)
    found = [disagreement(group, field, name) for name, group in groups.items()]
    return sorted(found, key=lambda one: (-one.reviewed, one.name))


def hindsight(rows: FollowedRows, disagrees: Mapping[UUID, bool]) -> Hindsight | None:
    """Return who was right, of reviewed predictions held against outcomes; None where none is known."""
    predicted = rows.predicted
    weights, left = predicted.follow_up.weights, predicted.follow_up.leavers
    if not weights.any():
        return None
    disputes = np.array([disagrees[key] for key in rows.ids])
    model_right = predicted.flagged == left
    people_right = model_right ^ disputes
    disputed = weights * disputes
    return Hindsight(
        rows=len(weights),
        known=int((weights > 0).sum()),
        people=share(people_right, weights),
        model=share(model_right, weights),
        disputed=int((disputed > 0).sum()),
        people_where_disputed=share(people_right, disputed) if disputed.any() else None,
    )
