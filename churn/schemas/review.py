"""Reviews: whether a person agrees with a prediction, what they did about it, and why."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from churn.schemas.caller import Who

Verdict = Literal["agree", "disagree"]
Action = Literal[
    "none", "interview", "workload", "pay", "training", "career", "working_conditions", "other"
]  # fmt: skip

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ACTIONS: tuple[Action, ...] = get_args(Action)
LONGEST_COMMENT = 2000  # characters

# Controls but tab and line ends, and halves of characters: nobody types them, and PostgreSQL keeps no NUL.
_UNTYPED = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_COMMENT = re.compile(rf"[^{_UNTYPED}\ud800-\udfff]*")


def _check_verdict(value: object) -> object:
    if value not in VERDICTS:
        raise PydanticCustomError("verdict", "unknown")
    return value


def _check_action(value: object) -> object:
    if value is not None and value not in ACTIONS:
        raise PydanticCustomError("action", "unknown")
    return value


def _check_comment(value: object) -> object:
    """Return a comment without space around it; None where nothing is left."""
    if value is None:
        return None
    # Forms end lines with two characters, of which browsers count one.
    text = value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else None
    if text is None or len(text) > LONGEST_COMMENT or not _COMMENT.fullmatch(text):
        raise PydanticCustomError("comment", "not a text of that length")
    return text.strip() or None


_ABOUT_ACTION = "what was done about it; null where nobody says"
_ABOUT_COMMENT = f"why, in up to {LONGEST_COMMENT:,} characters: personal data, and erased with the person"
_EXAMPLE: dict[str, Any] = {
    "verdict": "disagree",
    "action": "interview",
    "comment": "I disagree, because the overtime ended in June.",
}


class ReviewInput(BaseModel):
    """What somebody says about a prediction."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, json_schema_extra={"example": _EXAMPLE}
    )

    verdict: Annotated[Verdict, BeforeValidator(_check_verdict)] = Field(
        description="whether they agree with the prediction"
    )
    action: Annotated[Action | None, BeforeValidator(_check_action)] = Field(None, description=_ABOUT_ACTION)
    comment: Annotated[
        Annotated[str, Field(max_length=LONGEST_COMMENT, pattern=rf"^[^{_UNTYPED}]*$")] | None,
        BeforeValidator(_check_comment),
    ] = Field(None, description=_ABOUT_COMMENT)


@dataclass(frozen=True, slots=True)
class Review:
    """A review that a call adds to a prediction; the call says who and when."""

    prediction_id: UUID
    verdict: Verdict
    action: Action | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class LoggedReview:
    """A review as the journal has it."""

    review_id: Annotated[UUID, Field(description="also the id of the request that added it")]
    at: datetime | None
    caller: Who
    verdict: Annotated[Verdict | None, Field(description="null where it was erased")]
    action: Annotated[Action | None, Field(description=_ABOUT_ACTION)]
    comment: Annotated[str | None, Field(description=_ABOUT_COMMENT)]


class AddedReview(BaseModel):
    """A review that was added, and to which prediction."""

    prediction_id: UUID
    review: LoggedReview
