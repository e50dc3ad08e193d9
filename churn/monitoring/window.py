"""A window: the predictions of a period by one model, counted as its reference counts the training rows."""

from dataclasses import dataclass

from churn.model.reference import FieldReference, Moments, Reference
from churn.records.prediction_sample import SampledPrediction


@dataclass(slots=True)
class FieldWindow:
    """One field: the rows in each bin of its reference, those beyond its range, and its contributions."""

    reference: FieldReference
    counts: list[int]
    beyond: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: object, contribution: float) -> None:
        """Count one more row."""
        self.counts[self.reference.place(value)] += 1
        self.beyond += self.reference.is_beyond(value)
        self.total += contribution
        self.squares += contribution * contribution


@dataclass(slots=True)
class Window:
    """The figures of some predictions; `fields` are in the reference's order."""

    fields: list[FieldWindow]
    rows: int = 0
    flagged: int = 0
    total: float = 0.0  # of the contributions: log-odds without the base value
    squares: float = 0.0

    @classmethod
    def of(cls, reference: Reference) -> "Window":
        """Return an empty window of a reference's fields."""
        return cls([FieldWindow(field, [0] * len(field.counts)) for field in reference.fields])

    def add(self, prediction: SampledPrediction) -> None:
        """Count one more prediction, of which every field is known to be there."""
        values, contributions = prediction.values or {}, prediction.contributions or {}
        parts = [contributions[field.reference.name] for field in self.fields]
        for field_, part in zip(self.fields, parts, strict=True):
            field_.add(values[field_.reference.name], part)
        log_odds = sum(parts)
        self.rows += 1
        self.flagged += prediction.flagged
        self.total += log_odds
        self.squares += log_odds * log_odds


def moments(rows: int, total: float, squares: float) -> Moments:
    """Return the mean and the variance of so many figures, by their sum and the sum of their squares."""
    mean = total / rows
    return Moments(mean, max(0.0, squares - total * mean) / (rows - 1) if rows > 1 else 0.0)
