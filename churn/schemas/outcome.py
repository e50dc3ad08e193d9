"""Outcomes: what has become of employees about whom predictions were made."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from churn.schemas.identifier import IDENTIFIER_SCHEMA, check_identifier

OutcomeFault = Literal["unscored", "hidden", "too_early", "twice", "future", "after_known", "no_id", "no_day"]

MOST_OUTCOMES = 10_000  # in one call
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


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
    return str(check_identifier(value))


def _check_day(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise PydanticCustomError("day", "no day")


_EXAMPLE: dict[str, Any] = {
    "outcomes": [
        {"employee_id": "4711", "left_on": "2026-03-31", "known_until": "2026-06-30"},
        {"employee_id": "4712", "left_on": None, "known_until": "2026-06-30"},
    ]
}


class OutcomeInput(BaseModel):
    """What has become of one employee."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    employee_id: Annotated[str, BeforeValidator(_check_id), WithJsonSchema(IDENTIFIER_SCHEMA)] = Field(
        description="as in the predictions about them"
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
