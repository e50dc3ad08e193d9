import pytest
from pydantic import BaseModel

from churn.schemas.responses import Difference, FieldDifference, Prediction, Reason, Suggestion, WhatIfAnswer

ANSWERS = [Reason, Prediction, FieldDifference, Difference, Suggestion, WhatIfAnswer]


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_example_of_an_answer_is_what_it_leaves_as(answer: type[BaseModel]) -> None:
    example = answer.model_json_schema(mode="serialization")["example"]
    assert answer.model_validate(example).model_dump(mode="json") == example


@pytest.mark.parametrize("answer", [a for a in ANSWERS if a is not WhatIfAnswer])
def test_every_field_of_an_answer_is_described(answer: type[BaseModel]) -> None:
    for name, told in answer.model_json_schema()["properties"].items():
        assert "description" in told, name
