"""How a language says a sentence, a number, a value."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from churn.core.language import NO_BREAK_SPACE, Language, Pair, unbroken
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.i18n import numbers

_UNITS: dict[str, Pair] = {"ans": ("ans", "years")}
_NO_FIELDS = Dictionary()
_LEAST_P_VALUE = 1e-4  # that is written


@dataclass(frozen=True, slots=True)
class Locale:
    """Speaks one language, about the fields of one dictionary.

    `text` is plain text, or a kind of it that escapes what it is given (`Markup`); `space` stands before
    French punctuation and between thousands.
    """

    language: Language
    dictionary: Dictionary = _NO_FIELDS
    text: type[str] = str
    space: str = NO_BREAK_SPACE

    def say(self, french: str, english: str, /, **values: object) -> str:
        """Return the sentence of this language with its values in place of their `{names}`."""
        sentence = unbroken(french, self.space) if self.language == "fr" else english
        return self.text(sentence).format(**values)

    def pick(self, pair: Pair) -> str:
        """Return the text of this language."""
        return self.say(*pair)

    def number(self, value: float, digits: int = 2) -> str:
        """Return a number with this many decimals, its thousands apart."""
        return numbers.number(value, self.language, digits, space=self.space)

    def count(self, value: float) -> str:
        """Return a number of people; half a one, as in a mean, is one."""
        return self.number(math.floor(value + 0.5), 0)

    def percent(self, share: float, digits: int = 0) -> str:
        """Return a share as a percentage."""
        return numbers.percent(share, self.language, digits, space=self.space)

    def spread(self, spread: Mapping[str, float], digits: int = 2) -> str:
        """Return a mean with its standard deviation."""
        return self.space.join([self.number(spread["mean"], digits), "±", self.number(spread["sd"], digits)])

    def estimate(self, estimate: Mapping[str, Any]) -> str:
        """Return a figure with its interval, as far as they are known."""
        return self._interval(estimate, self.number, self.number)

    def share(self, estimate: Mapping[str, Any]) -> str:
        """Return a share with its interval in percent, as far as they are known."""
        return self._interval(estimate, self.percent, lambda share: self.number(100 * share, 0))

    def points(self, estimate: Mapping[str, Any]) -> str:
        """Return a difference of shares with its interval in percentage points, as far as they are known."""
        return self._interval(estimate, self._points, self._points)

    def signed(self, change: float, digits: int = 2) -> str:
        """Return a change, which has its sign."""
        return ("+" if change > 0 else "") + self.number(change, digits)

    def p_value(self, value: float | None) -> str:
        """Return a p-value, as far as it is known."""
        if value is None:
            return "–"
        least = self.number(_LEAST_P_VALUE, 4)
        return f"<{self.space}{least}" if value < _LEAST_P_VALUE else self.number(value, 4)

    def _points(self, share: float) -> str:
        return self.signed(100 * share, 1)

    def _interval(
        self, estimate: Mapping[str, Any], write: Callable[[float], str], end: Callable[[float], str]
    ) -> str:
        value, low, high = (estimate[part] for part in ("value", "low", "high"))
        if value is None:
            return "–"
        if low is None or high is None:
            return write(value)
        separator = f"{self.space}; " if self.language == "fr" else "; "
        return f"{write(value)} [{end(low)}{separator}{end(high)}]"

    def times(self, factor: float) -> str:
        """Return what something is multiplied by, with the digits that a reader can use, or divided by."""
        if 0 < factor < 0.01:
            return "÷" + self.number(1 / factor, 0)
        return "×" + self.number(factor, 1 if factor >= 10 else 2)

    def unit(self, field: Field) -> str:
        """Return the unit of a field's numbers; empty where it has none."""
        return self.pick(_UNITS.get(field.unit, (field.unit, field.unit)))

    def value(self, value: float | str, name: str = "") -> str:
        """Return a value of a field: a category as it reads, a number without needless decimals."""
        if isinstance(value, str):
            field = self.dictionary.by_name.get(name)
            return self.pick(field.value_labels.get(value, (value, value)) if field else (value, value))
        return self.number(value, 0 if float(value).is_integer() or abs(value) >= 100 else 1)

    def label(self, name: str) -> str:
        """Return how a person calls a field."""
        field = self.dictionary.by_name.get(name)
        return field.label(self.language) if field else name

    def measured(self, field: Field) -> str:
        """Return how a person calls a field, with its unit where the label does not say it."""
        label, unit = field.label(self.language), self.unit(field)
        is_said = not unit or label.casefold().startswith(("années", "years"))
        return label if is_said else f"{label} ({unit})"

    def labels(self, names: Iterable[str]) -> str:
        """Return how a person calls these fields, one after the other."""
        return ", ".join(self.label(name) for name in names)


ENGLISH = Locale("en", space=" ")  # of the console, the log and whatever else is only in English
