"""What comes out over HTTP: the risk, its reasons, and what would change it."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from churn.schemas.bands import Band

Value = str | float | int

# The field that the protected ones are summed under where a model takes them.
OTHER = "other"

_FIELD = f'canonical name; "{OTHER}": all protected fields in sum, where the model takes any'


_REASON: dict[str, Any] = {
    "field": "heure_supplementaires",
    "value": "Oui",
    "contribution": 1.31,
    "text": "Heures supplémentaires : oui, augmente le risque",
}
_PREDICTION: dict[str, Any] = {
    "prediction": 1,
    "probability": 0.87,
    "band": "high",
    "message": "Risque de départ élevé",
    "prediction_id": "01983a5e-7c1b-7d5a-9a53-0f4b1c2d3e4f",
    "model": "churn:3m5xk7sfqkz2lbh6",
    "threshold": 0.14,
    "base_value": -2.3,
    "reasons": [_REASON],
    "unknown": ["departement"],
    "warnings": ["distance_domicile_travail = 100 : hors de la plage observée (1 – 29)"],
}
_FIELD_DIFFERENCE: dict[str, Any] = {
    "field": "nombre_participation_pee",
    "before": 0,
    "after": 1,
    "change": -1.73,
}
_DIFFERENCE: dict[str, Any] = {"probability": -0.33, "log_odds": -1.73, "fields": [_FIELD_DIFFERENCE]}
_SUGGESTION: dict[str, Any] = {
    "field": "heure_supplementaires",
    "from": "Oui",
    "to": "Non",
    "probability": 0.12,
    "text": "Heures supplémentaires : passer de oui à non ramène le risque à 12 %",
}
_WHAT_IF: dict[str, Any] = {
    "before": _PREDICTION,
    "after": {**_PREDICTION, "probability": 0.54},
    "difference": _DIFFERENCE,
    "suggestions": [_SUGGESTION],
    "message": "Chacun des changements proposés suffit à lui seul à passer sous le seuil",
}


class Reason(BaseModel):
    """What one field adds to the risk, in log-odds against the average employee.

    A protected field (age, gender, marital status) is never one. Where a model takes such fields, what
    the known ones add is told in sum, as one reason with the field "other" and no value: so all still
    adds up. (Of a single known one, the sum is its own contribution: that is the price of adding up.)
    """

    model_config = ConfigDict(json_schema_extra={"example": _REASON})

    field: str = Field(description=_FIELD)
    value: Value | None = Field(description=f'the cleaned value; null for "{OTHER}"')
    contribution: float = Field(description="log-odds; above 0 it raises the risk")
    text: str = Field(description="the reason as a sentence, in the language of the request")


class Prediction(BaseModel):
    """The risk that one employee leaves, with its exact reasons.

    `base_value` and the contributions add up to the logit of `probability`; `reasons` are sorted
    by size; `unknown` lists the model's fields that were not given and so contribute nothing.
    """

    model_config = ConfigDict(json_schema_extra={"example": _PREDICTION})

    prediction: Literal[0, 1] = Field(description="1 where the probability reaches the threshold")
    probability: float = Field(ge=0, le=1, description="probability that the employee leaves")
    band: Band = Field(description="high from the threshold on, moderate from half of it on")
    message: str = Field(description="the prediction as a sentence, in the language of the request")
    prediction_id: UUID = Field(description="under which the journal keeps it")
    model: str = Field(description="tag of the model in the store")
    threshold: float = Field(ge=0, le=1, description="probability from which an employee is flagged")
    base_value: float = Field(description="log-odds of the average employee")
    reasons: list[Reason] = Field(description="the known fields, the largest contribution first")
    unknown: list[str] = Field(description="the model's fields that were not given: no contribution")
    warnings: list[str] = Field(description="values to check: they were accepted, read as is said")


class FieldDifference(BaseModel):
    """What a field's changed value does to the log-odds."""

    model_config = ConfigDict(json_schema_extra={"example": _FIELD_DIFFERENCE})

    field: str = Field(description=_FIELD)
    before: Value | None = Field(description=f'null where it is unknown, and for "{OTHER}"')
    after: Value | None = Field(description=f'null where it is unknown, and for "{OTHER}"')
    change: float = Field(description="log-odds; below 0 the change lowers the risk")


class Difference(BaseModel):
    """What the changes do to the risk, as a whole and by field.

    The `change`s of the fields add up to `log_odds`, the difference of the two logits.
    """

    model_config = ConfigDict(json_schema_extra={"example": _DIFFERENCE})

    probability: float = Field(ge=-1, le=1, description="probability after the changes, less that before")
    log_odds: float = Field(description="logit after the changes, less that before")
    fields: list[FieldDifference] = Field(
        description="the model's fields whose value changed, the largest change first"
    )


class Suggestion(BaseModel):
    """The smallest change of one field that, alone, takes the risk below the threshold."""

    model_config = ConfigDict(json_schema_extra={"example": _SUGGESTION}, serialize_by_alias=True)

    field: str = Field(description="canonical name of a field that an employer can act upon")
    from_: Value = Field(alias="from", description="the value after the changes of the request")
    to: Value = Field(description="the nearest value that suffices")
    probability: float = Field(ge=0, le=1, description="with this change, below the threshold")
    text: str = Field(description="the suggestion as a sentence, in the language of the request")


class WhatIfAnswer(BaseModel):
    """One employee's risk before and after some changes, and which single further change suffices.

    `suggestions` are there while the risk *after* the changes reaches the threshold: at most one a
    field, in the order in which an employer would consider them, not by effect.
    """

    model_config = ConfigDict(json_schema_extra={"example": _WHAT_IF})

    before: Prediction
    after: Prediction
    difference: Difference
    suggestions: list[Suggestion]
    message: str = Field(description="what comes of it, as a sentence in the language of the request")
