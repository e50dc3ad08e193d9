"""Records as they come over HTTP, made ready for the schema: one name, one spelling, one unit."""

import re

from churn.dictionary import domain, names

LONGEST_SPELLING = 64  # characters, of a category or a number

_PERCENTAGES = tuple(field.name for field in domain.INPUTS if field.kind == "percent")
_NUMBER = re.compile(domain.NUMBER)


def canonical(data: dict[str, object]) -> tuple[dict[str, object], frozenset[str]]:
    """Return a record by canonical names, and which of its values are guessed, as they could mean another.

    Columns to pass over are dropped. What is no field, or no value of one, stays for the schema to refuse.
    """
    record = _by_canonical_name(data)
    guessed: frozenset[str] = frozenset()
    for name in _PERCENTAGES:
        if name in record:
            record[name], is_guess = _percentage(record[name])
            guessed = guessed | {name} if is_guess else guessed
    return record, guessed


def _by_canonical_name(data: dict[str, object]) -> dict[str, object]:
    record: dict[str, object] = {}
    given: dict[str, str] = {}
    for spelling, value in data.items():
        field = domain.BY_NAME.get(spelling) or names.field_of(str(spelling))
        if field is None or field is domain.TARGET:
            if not names.is_passed_over(str(spelling)):
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

    Without its sign, a number below 1 is a fraction, and 1 is 1 %. What is no percentage comes back as it is.
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
    return (domain.as_percent(value) if value < 1 else value), True
