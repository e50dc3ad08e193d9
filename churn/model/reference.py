"""The reference of a model: what the people looked like that it learned from, in counts and means.

It travels with the model, and monitoring compares with it what is predicted later. Nobody's record is in it.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = 1
SCORE_BINS = 20  # of equal width, from 0 to 1


@dataclass(frozen=True, slots=True)
class Moments:
    """The mean and the variance of a sample, in log-odds."""

    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class FieldReference:
    """One field: how many rows are in each bin, and what it contributed to the log-odds.

    A number's bins lie between the `cuts`, each of which belongs to the bin on its right; a category's are
    its `categories`. The last of the `counts` is that of the rows where the field is unknown. `least` and
    `largest` are a number's range.
    """

    name: str
    counts: tuple[int, ...]
    contribution: Moments
    cuts: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    least: float | None = None
    largest: float | None = None

    def place(self, value: object) -> int:
        """Return the bin of a value; what no training row could have is in the last one, with the unknown."""
        if self.categories:
            return self.categories.index(value) if value in self.categories else len(self.categories)
        if isinstance(value, int | float):
            return bisect_right(self.cuts, value)
        return len(self.counts) - 1

    def is_beyond(self, value: object) -> bool:
        """Return whether a number lies outside of the range that training has seen."""
        if self.least is None or self.largest is None or not isinstance(value, int | float):
            return False
        return not self.least <= value <= self.largest


@dataclass(frozen=True, slots=True)
class Reference:
    """What a model learned from: so many `rows`, their fields, log-odds and scores.

    `scores` counts the probabilities in SCORE_BINS; `flagged` the rows at or above the threshold.
    `horizon_days` is the period within which people left, None where nobody has declared it.
    """

    rows: int
    base_value: float
    log_odds: Moments
    scores: tuple[int, ...]
    flagged: int
    fields: tuple[FieldReference, ...]
    horizon_days: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reference as plain values, fit for JSON."""
        return {"format": FORMAT, **asdict(self)}


def from_dict(plain: Mapping[str, Any]) -> Reference:
    """Return the reference that `Reference.to_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is none, or of a later format.
    """
    facts = dict(plain)
    if facts.pop("format") != FORMAT:
        raise ValueError("a later version of churn wrote this reference")
    facts["log_odds"] = Moments(**facts["log_odds"])
    facts["scores"] = tuple(facts["scores"])
    facts["fields"] = tuple(_field(field) for field in facts["fields"])
    return Reference(**facts)


def _field(plain: Mapping[str, Any]) -> FieldReference:
    lists = {name: tuple(plain[name]) for name in ("counts", "cuts", "categories")}
    return FieldReference(**{**plain, **lists, "contribution": Moments(**plain["contribution"])})
