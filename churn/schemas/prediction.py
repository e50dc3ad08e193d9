"""One prediction, as it is made, answered and logged."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scored:
    """One prediction as it is logged: what came in, what the model saw, what it said.

    `values` and `contributions` (log-odds) are by canonical field name; `id` is the prediction's. `guessed`,
    which is not logged, has the fields whose value could be written to mean another.
    """

    id: uuid.UUID
    record: Mapping[str, object]
    values: Mapping[str, object]
    base_value: float
    contributions: Mapping[str, float]
    model: str
    prediction: int
    probability: float
    threshold: float
    guessed: frozenset[str] = frozenset()
