"""One field of an employee's record: its names, its kind, what it may hold, and how it may be changed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from churn.core.language import Language, Pair
from churn.dictionary.folding import fold_value

FieldKind = Literal["identifier", "integer", "number", "percent", "date", "category"]
FieldRole = Literal["identifier", "core", "optional", "protected", "target"]

# The largest number of a field without a maximum of its own. No HR figure is larger, and every integer up to
# it is exact as a float.
LARGEST = 1e12
LARGEST_IDENTIFIER = 2**63 - 1  # the largest integer that databases and Parquet files can hold
ISO_DATE = "%Y-%m-%d"
DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the record.

    `extract` is the name of the extract that has it. `minimum` and `maximum` are the least and the largest
    number that is accepted. `categories` are the canonical spellings; `value_aliases` lead from further
    spellings, folded by `fold_value`, to a canonical one; `value_labels` say how a category reads where that
    is not its canonical spelling, and the values of an `everyday` field have no capital inside a sentence.
    Where `minimum_count` is positive, the categories are learned: those that so many of the training data
    have; all other values are `other`, one of the categories too. A date is given as `date_format` says, and
    is to the model a number: the years from then until `reference`. `range_reason` says why a number
    lies in its range.
    `groups` are the ranges (both ends included) by which the fairness of a number is audited. `caution` is
    what people must know about a model that uses the field.
    """

    name: str
    extract: str
    kind: FieldKind
    role: FieldRole
    labels: Pair
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    categories: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    value_aliases: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Pair] = field(default_factory=dict)
    everyday: bool = False
    groups: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    caution: Pair | None = None
    range_reason: Pair | None = None
    minimum_count: int = 0
    other: str = ""
    reference: date | None = None
    date_format: str = ISO_DATE

    @property
    def numeric(self) -> bool:
        """Whether the field is a number to the model."""
        return self.kind in ("integer", "number", "percent", "date")

    @property
    def is_to_be_learned(self) -> bool:
        """Whether the field's categories are still to be learned from training data."""
        return self.minimum_count > 0 and not self.categories

    @property
    def may_be_unknown(self) -> bool:
        """Whether the field may be left empty."""
        return self.role in ("optional", "protected")

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every accepted name: the canonical one first, then the aliases and the labels."""
        return (self.name, *self.aliases, *self.labels)

    @property
    def highest(self) -> float:
        """The largest number that is accepted."""
        if self.maximum is not None:
            return self.maximum
        return LARGEST_IDENTIFIER if self.kind == "identifier" else LARGEST

    def label(self, language: Language) -> str:
        """Return the name that a person reads."""
        return self.labels[language == "en"]

    def value_label(self, category: str, language: Language) -> str:
        """Return how a category reads."""
        return self.value_labels.get(category, (category, category))[language == "en"]

    def category(self, value: str) -> str | None:
        """Return the canonical spelling of a category, or None where it is none of them."""
        key = fold_value(value)
        for canonical in self.categories:
            if fold_value(canonical) == key:
                return canonical
        return self.value_aliases.get(key) or (self.other if key and self.other else None)

    def years_since(self, text: str) -> float | None:
        """Return the years from a date until the reference, or None where the text is no date.

        A date as the field has it, or in ISO format, with a time of day or without.
        """
        for written, form in ((text, self.date_format), (text[:10], ISO_DATE)):
            try:
                day = datetime.strptime(written, form).date()
            except ValueError:
                continue
            return round(((self.reference or day) - day).days / DAYS_OF_A_YEAR, 2)
        return None


@dataclass(frozen=True, slots=True)
class Lever:
    """How an employer may change one field, and so what may be suggested.

    A number moves in steps of `step`, whose sign is the direction, to at most `factor` times its value;
    or it is set to `reset` at once. A category moves to the right along `order`. `means` says how the change
    is made, where the field's name does not.
    """

    step: int = 0
    factor: float = math.inf
    reset: int | None = None
    order: tuple[str, ...] = ()
    means: Pair | None = None
