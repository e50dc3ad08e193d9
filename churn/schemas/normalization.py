"""Records as they come over HTTP, made ready for the schema: one name, one spelling, one unit."""

import re

from churn.dictionary.dictionary import Dictionary

LONGEST_SPELLING = 64  # characters, of a category or a number

# How a number is written in a text, once a decimal comma has become a point. Its digits can match in one way
# only: a pattern with two ways would try them all on a long text.
NUMBER = r"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NUMBER = re.compile(NUMBER)


class Normalizer:
    """Gives the records of one company their canonical form."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._by_name, self._names, self._target = dictionary.by_name, dictionary.names, dictionary.target
        self._percentages = tuple(field.name for field in dictionary.inputs if field.kind == "percent")
        self._dates = tuple(field for field in dictionary.inputs if field.kind == "date")

    def canonical(self, data: dict[str, object]) -> tuple[dict[str, object], frozenset[str]]:
        """Return a record by canonical names, and those of its values that could mean another one.

        Columns to pass over are dropped. What is no field or no value of one stays for the schema to refuse.
        """
        record = self._by_canonical_name(data)
        for field in self._dates:
            text = record.get(field.name)
            if isinstance(text, str) and len(text) <= LONGEST_SPELLING:
                years = field.years_since(text.strip())
                record[field.name] = text if years is None else years
        guessed: frozenset[str] = frozenset()
        for name in self._percentages:
            if name in record:
                record[name], is_guess = _percentage(record[name])
                guessed = guessed | {name} if is_guess else guessed
        return record, guessed

    def _by_canonical_name(self, data: dict[str, object]) -> dict[str, object]:
        record: dict[str, object] = {}
        given: dict[str, str] = {}
        for spelling, value in data.items():
            field = self._by_name.get(spelling) or self._names.field_of(str(spelling))
            if field is None or field is self._target:
                if not self._names.is_passed_over(str(spelling)):
                    # Left for `extra="forbid"` to name: half of a pair of UTF-16, pydantic could not.
                    record[str(spelling).encode(errors="replace").decode()] = value
            elif field.name in record:
                # The second spelling stays under a name that `extra="forbid"` refuses too.
                record[spelling if spelling != field.name else given[field.name]] = value
            else:
                given[field.name] = spelling
                if field.kind == "category" and isinstance(value, str) and len(value) <= LONGEST_SPELLING:
                    record[field.name] = field.category(value) or value
                else:
                    record[field.name] = value
        return record


def _percentage(value: object) -> tuple[object, bool]:
    """Return a percentage in percent, and whether that is a guess: `"11 %"`, `11` and `0.11` are all 11.

    Without its sign, a number below 1 is a fraction, and 1 is 1 %. Anything else is returned as it is.
    """
    signed = False
    if isinstance(value, str):
        text = value.strip()
        signed = text.endswith("%")
        digits = text.removesuffix("%").strip().replace(",", ".")
        if len(digits) > LONGEST_SPELLING or not _NUMBER.match(digits):
            return value, False
        value = float(digits)
    if signed or isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        return value, False
    return (as_percent(value) if value < 1 else value), True


def as_percent(fraction: float) -> float:
    """Return a fraction in percent, without a trace of the binary one: 0.29 * 100 is 28.999999999999996."""
    return round(fraction * 100, 9)
