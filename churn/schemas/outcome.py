"""Outcomes: what has become of employees about whom predictions were made."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

OutcomeFault = Literal["unscored", "hidden", "too_early", "twice", "future", "after_known", "no_id", "no_day"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """When an employee left, None for one who was still there, and until when that is known.

    In the journal, the id is as predictions about the employee have it: it may be a pseudonym.
    """

    employee_id: str
    left_on: date | None
    known_until: date


@dataclass(frozen=True, slots=True)
class OutcomeProblem:
    """Why an outcome is not taken, and its place: its row in a file, the first below the header being 2."""

    place: int
    fault: OutcomeFault
