"""Which outcomes can be taken: those of people who were predicted about, that contradict nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from churn.records.outcomes import first_predictions, has_pseudonyms
from churn.schemas.outcome import Outcome, OutcomeFault, OutcomeProblem

if TYPE_CHECKING:
    from sqlalchemy import Engine

StoredForms = Callable[[str], tuple[str, ...]]
Placed = Sequence[tuple[int, Outcome]]


def sift(
    engine: "Engine", given: Placed, forms: StoredForms, today: date
) -> tuple[list[Outcome], list[OutcomeProblem]]:
    """Return the outcomes that can be stored, and why others cannot, by their places.

    `forms` are those in which the journal may have an id; the last that it has is stored.

    Raises:
        DatabaseError: the journal cannot be read.
    """
    stored = [form for _, outcome in given for form in forms(outcome.employee_id)]
    first = {key: moment.date() for key, moment in first_predictions(engine, stored).items()}
    are_hidden = not first and has_pseudonyms(engine)
    taken: list[Outcome] = []
    problems: list[OutcomeProblem] = []
    seen: set[str] = set()
    for place, outcome in given:
        known = [form for form in forms(outcome.employee_id) if form in first]
        fault = _fault(outcome, min((first[form] for form in known), default=None), today)
        if fault == "unscored" and are_hidden:
            fault = "hidden"
        if fault is None and outcome.employee_id in seen:
            fault = "twice"
        seen.add(outcome.employee_id)
        if fault:
            problems.append(OutcomeProblem(place, fault))
        else:
            taken.append(replace(outcome, employee_id=known[-1]))
    return taken, problems


def _fault(outcome: Outcome, predicted: date | None, today: date) -> OutcomeFault | None:
    left_on, known_until = outcome.left_on, outcome.known_until
    if max(known_until, left_on or known_until) > today:
        return "future"
    if left_on is not None and left_on > known_until:
        return "after_known"
    if predicted is None:
        return "unscored"
    return "too_early" if (left_on or known_until) < predicted else None
