"""Logged inputs of employees of whom it is known whether they left within a horizon."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Engine

from churn.records.followed import FollowedPrediction, followed
from churn.records.outcomes import newest
from churn.schemas.outcome import Outcome


@dataclass(slots=True)
class LabelledInputs:
    """Employees, one row each: their id as it is stored, their record, and whether they have left.

    `unknown` counts those whose horizon is not over, or who were not followed to its end.
    """

    employee_ids: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    left: list[bool] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    unknown: int = 0


def labelled_inputs(
    engine: Engine,
    models: Collection[str],
    horizon: int,
    is_wanted: Callable[[FollowedPrediction], bool],
) -> LabelledInputs:
    """Return what some models were asked, with what was known a horizon (in days) later.

    Each employee counts once, by their first prediction that is wanted: by a later one, people would be the
    fewer the sooner they left. A prediction counts once its horizon is over for everybody, or early leavers
    would be known before those who stay.

    Raises:
        DatabaseError: the database cannot be read.
    """
    outcomes = {outcome.employee_id: outcome for outcome in newest(engine)}
    found = LabelledInputs()
    if not outcomes:
        return found
    last = max(outcome.known_until for outcome in outcomes.values()) - timedelta(days=horizon)
    for employee_id, predictions in groupby(followed(engine, models), attrgetter("employee_id")):
        first = next(filter(is_wanted, predictions), None)
        if first is None:
            continue
        left = _has_left(first.day, outcomes[employee_id], horizon) if first.day <= last else None
        if left is None:
            found.unknown += 1
            continue
        found.employee_ids.append(employee_id)
        found.records.append(first.record)
        found.left.append(left)
        found.days.append(first.day)
    return found


def _has_left(day: date, outcome: Outcome, horizon: int) -> bool | None:
    """Return whether somebody left within a horizon from a day on; None where that is not known."""
    end = day + timedelta(days=horizon)
    if outcome.left_on is not None:
        return None if outcome.left_on < day else outcome.left_on <= end
    return False if outcome.known_until >= end else None


def is_held_out(employee_id: str, share: float) -> bool:
    """Return whether an employee is among the share that a model does not learn from.

    By a digest of the id: the same people are held out again by every later model, and no list is kept.
    """
    digest = hashlib.sha256(employee_id.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64
