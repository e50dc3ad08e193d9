"""Outcomes: what has become of employees about whom predictions were made."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

OutcomeFault = Literal["unscored", "hidden", "too_early", "twice", "future", "after_known", "no_id", "no_day"]

MOST_OUTCOMES = 10_000  # in one call
LONGEST_ID = 64  # characters


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


def _check_id(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not is_number and not (isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_ID):
        raise PydanticCustomError("employee_id", "no id")
    return str(value).strip()


def _check_day(value: object) -> object:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise PydanticCustomError("day", "no day") from None


_EXAMPLE: dict[str, Any] = {
    "outcomes": [
        {"employee_id": "4711", "left_on": "2026-03-31", "known_until": "2026-06-30"},
        {"employee_id": "4712", "left_on": None, "known_until": "2026-06-30"},
    ]
}


class OutcomeInput(BaseModel):
    """What has become of one employee."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    employee_id: Annotated[str, BeforeValidator(_check_id)] = Field(
        description="as in the predictions about them", max_length=LONGEST_ID
    )
    left_on: Annotated[date | None, BeforeValidator(_check_day)] = Field(
        None, description="null where they were still there"
    )
    known_until: Annotated[date, BeforeValidator(_check_day)] = Field(
        description="the last day of which this is known"
    )


class OutcomesInput(BaseModel):
    """What has become of some employees."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, json_schema_extra={"example": _EXAMPLE}
    )

    outcomes: list[OutcomeInput] = Field(min_length=1, max_length=MOST_OUTCOMES)


class RefusedOutcome(BaseModel):
    """One that was not stored, and why."""

    position: int = Field(description="in the list, from 0")
    fault: OutcomeFault
    msg: str = Field(description="what is wrong and what to do, in the language of the request")


class StoredOutcomes(BaseModel):
    """How many outcomes were stored, and which were not."""

    stored: int
    left: int = Field(description="those of them of people who left")
    refused: list[RefusedOutcome]
