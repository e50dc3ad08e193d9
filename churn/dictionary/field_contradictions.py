"""What in one field of a dictionary contradicts what."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pydantic import BaseModel

from churn.dictionary.field import ISO_DATE
from churn.dictionary.folding import fold_value
from churn.dictionary.plain_dictionary import YES_NO, Document

Finding = tuple[tuple[str | int, ...], str]

MOST_CATEGORIES = 100
_LONGEST_NAME = 64
# What records of the API have beside their fields.
_TAKEN = {*dir(BaseModel), "normalizer", "example", "guessed", "record", "given", "employee", "changes"}
_OF_CATEGORIES = ("categories", "learned", "value_aliases", "value_labels", "everyday")
_OF_NUMBERS = ("minimum", "maximum", "reason", "unit", "groups")
_OF_DATES = ("reference", "date_format")


def of(name: str, field: Document) -> Iterator[Finding]:
    """Yield every contradiction, at its place in the field."""
    yield from _name(name, field)
    role = field.get("role", "optional")
    kind = field.get("kind")
    if role in ("identifier", "ignored"):
        if role == "identifier" and kind is not None:
            yield ("kind",), "an identifier is of no other kind: leave the key out"
        yield from _superfluous(field, (*_OF_CATEGORIES, *_OF_NUMBERS, *_OF_DATES), f"a field that is {role}")
    elif kind is None:
        yield (), 'no kind: say kind = "number", "integer", "percent", "category", "yes/no" or "date"'
    elif kind in ("category", "yes/no"):
        yield from _superfluous(field, (*_OF_NUMBERS, *_OF_DATES), f"a field of the kind {kind}")
        yield from _categories(kind, field)
    else:
        yield from _superfluous(field, _OF_CATEGORIES, f"a field of the kind {kind}")
        yield from _numbers(kind, field)
    yield from _target(role, kind, field)


def _name(name: str, field: Document) -> Iterator[Finding]:
    if field.get("role") == "ignored":
        return  # only a column of a file
    if not (
        name.isascii() and name.isidentifier() and not name.startswith("_") and len(name) <= _LONGEST_NAME
    ):
        yield (
            (),
            (
                "a field's name is letters, digits and _ without accents, and begins with a letter: "
                f'rename it, with aliases = ["{name}"]'
            ),
        )
    elif name in _TAKEN:
        yield (), f'this name is taken by the software: call it {name}_of_employee, with aliases = ["{name}"]'


def _superfluous(field: Document, keys: tuple[str, ...], what: str) -> Iterator[Finding]:
    for key in keys:
        if key in field:
            yield (key,), f"{what} has no {key}: take it out, or change the kind or the role"


def _categories(kind: str, field: Document) -> Iterator[Finding]:
    categories = field.get("categories", YES_NO if kind == "yes/no" else ())
    if kind == "yes/no" and (len(categories) != 2 or "learned" in field):
        yield (
            ("categories" if "categories" in field else "learned",),
            (
                'a yes/no field has two categories, the one for yes first: write categories = ["Yes", "No"], '
                "or leave it out"
            ),
        )
        return
    if "learned" in field:
        if categories:
            yield ("categories",), "categories are either listed or learned: keep one of the two"
    elif not 2 <= len(categories) <= MOST_CATEGORIES:
        yield (
            ("categories",) if "categories" in field else (),
            (
                f"a category has 2 to {MOST_CATEGORIES} values: write categories = […], "
                "or learned = { minimum_count = 10 } to take them from the training data"
            ),
        )
    yield from _values(categories, field)


def _values(categories: Sequence[str], field: Document) -> Iterator[Finding]:
    """Find values and other spellings of values that are read alike, or are those of no category."""
    owners: dict[str, str] = {}
    for place, value in enumerate(categories):
        folded = fold_value(value)
        if not folded:
            yield ("categories", place), f"{value!r} has no letter or digit: name it otherwise"
        elif folded in owners:
            yield ("categories", place), f"{value!r} is read as {owners[folded]!r}: keep one of the two"
        owners.setdefault(folded, value)
    yield from _unknown_values(categories, field)
    spelled = field.get("value_aliases", {}).items()
    for value, spelling in ((value, spelling) for value, spellings in spelled for spelling in spellings):
        owner = owners.setdefault(fold_value(spelling), value)
        if owner != value:
            yield ("value_aliases", value), f"{spelling!r} is {owner!r} already: keep one of the two"


def _unknown_values(categories: Sequence[str], field: Document) -> Iterator[Finding]:
    for key in ("value_labels", "value_aliases") if "learned" not in field else ():
        for value in field.get(key, {}):
            if value not in categories:
                yield (key, value), f"{value!r} is none of the categories: add it there, or take it out here"


def _numbers(kind: str, field: Document) -> Iterator[Finding]:
    low, high = field.get("minimum", 0), field.get("maximum")
    if high is not None and low >= high:
        yield ("maximum",), f"the range is upside down, from {low} to {high}: exchange minimum and maximum"
    if "reason" in field and high is None and "minimum" not in field:
        yield ("reason",), "there is no range to give a reason for: add minimum or maximum"
    yield from _groups(field)
    if kind == "date":
        yield from _date(field)
    else:
        yield from _superfluous(field, _OF_DATES, f"a field of the kind {kind}")


def _groups(field: Document) -> Iterator[Finding]:
    ends = sorted(field.get("groups", {}).items(), key=lambda group: group[1][0])
    for name, (first, last) in ends:
        if first > last:
            yield ("groups", name), f"the group {name!r} is upside down: write its lower end first"
    for (name, (_, last)), (other, (first, _)) in pairwise(ends):
        if first <= last:
            yield ("groups", other), f"the groups {name!r} and {other!r} overlap: nobody is in two"


def _date(field: Document) -> Iterator[Finding]:
    if "reference" not in field:
        yield (), "a date counts as the years until a day: say reference = 2026-12-31, the day of the data"
    form = field.get("date_format", ISO_DATE)
    if not ("%d" in form and "%m" in form and ("%Y" in form or "%y" in form)):
        yield ("date_format",), 'expected where day, month and year stand, as in "%d/%m/%Y"'


def _target(role: str, kind: str | None, field: Document) -> Iterator[Finding]:
    positive = field.get("positive")
    if role != "target":
        if positive is not None:
            yield ("positive",), "only the target has a positive value: take it out"
        return
    if kind not in ("category", "yes/no"):
        yield (
            ("kind",) if kind else (),
            'the target is of the kind "category" or "yes/no": who left, who stayed',
        )
        return
    categories = field.get("categories", YES_NO if kind == "yes/no" else ())
    if "learned" in field:
        yield ("learned",), 'the target\'s categories are listed: write categories = ["left", "stayed"]'
    elif positive is None:
        yield (), 'no positive value: say which category means that somebody has left, as in positive = "Yes"'
    elif positive not in categories:
        yield (
            ("positive",),
            (f"{positive!r} is none of the categories, {', '.join(categories)}: name one of them"),
        )
