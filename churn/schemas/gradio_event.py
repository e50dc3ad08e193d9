"""What Gradio's page sends when somebody presses one of its buttons."""

from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from churn.core.errors import FieldError, InvalidInputError

_MOST_VALUES = 500


class GradioEvent(BaseModel):
    """Which event it is, in the order in which the page is drawn, and the values of that event's inputs."""

    fn_index: Literal[0, 1] = 0
    data: list[str | dict[str, str] | None] = Field(max_length=_MOST_VALUES)


def read_event(body: bytes) -> GradioEvent:
    """Return the event in a body; raise InvalidInputError where it is none."""
    try:
        return GradioEvent.model_validate_json(body)
    except ValidationError:
        raise InvalidInputError([FieldError(("body",), "object_type")]) from None
