"""What a column holds: the first kind as which the product itself reads it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import numpy as np

from churn.dictionary.field import DAYS_OF_A_YEAR, LARGEST, Field
from churn.ingest.cells import parse
from churn.ingest.days import DATE_FORMATS, day_of
from churn.ingest.notation import Evidence, depends_on_cells
from churn.ingest.raw_column import RawColumn, yes_or_no

Kind = Literal["integer", "number", "percent", "date", "yes/no", "category", "text", "nothing"]

UNITS = ("", "€", "ans", "km")
NEARLY_ALL = 0.95  # of the values: the others are told as odd
MOST_LISTED = 12  # categories that are written down; of more, the frequent ones are learned
LEAST_PEOPLE = 10  # of each category that is written down: fewer might be recognized
MOST_CATEGORIES = 60
LEAST_REPEATED = 4.0  # rows for each value, on average, where these are categories


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """A kind, and what belongs to it: `numbers` has those of the rows, NaN where there is none.

    `odd` counts values that are read as nothing; `formats` are all by which the dates can be read.
    """

    kind: Kind
    unit: str = ""
    formats: tuple[str, ...] = ()
    latest: date | None = None
    is_learned: bool = False
    odd: int = 0
    thousands: str | None = None
    numbers: Any = field(default=None, compare=False)

    @property
    def low(self) -> float:
        """The least number."""
        return float(np.nanmin(self.numbers))

    @property
    def high(self) -> float:
        """The largest number."""
        return float(np.nanmax(self.numbers))


def kind_of(column: RawColumn) -> ColumnKind:
    """Return what a column holds. Numbers are tried before dates: a pay or an age is no day."""
    if not column.known:
        return ColumnKind("nothing")
    if all(yes_or_no(text) for text in column.counts) and len(column.counts) == 2:
        return ColumnKind("yes/no")
    return _number(column) or _date(column) or _words(column)


def _number(column: RawColumn) -> ColumnKind | None:
    """Return the kind of a column of numbers."""
    signed = sum(count for text, count in column.counts.items() if text.endswith("%"))
    kind: Literal["percent", "number"] = "percent" if signed > column.known / 2 else "number"
    best: ColumnKind | None = None
    for unit in UNITS if kind == "number" else ("",):
        found = _as_numbers(column, Field("", "", kind, "optional", ("", ""), minimum=-LARGEST, unit=unit))
        if found and (best is None or found.odd < best.odd):
            best = found
        if best and not best.odd:
            break
    return best


def _as_numbers(column: RawColumn, as_field: Field) -> ColumnKind | None:
    evidence = Evidence(as_field, decimal_comma=column.decimal_comma)
    if depends_on_cells(as_field, column.cells.type):
        evidence.add(column.cells)
    notation = evidence.notation()
    values, valid = parse(as_field, column.cells, notation)
    numbers = np.where(column.is_known & valid, values, np.nan)
    read = int((~np.isnan(numbers)).sum())
    if read < NEARLY_ALL * column.known:
        return None
    whole = as_field.kind == "number" and bool((np.floor(numbers) == numbers)[~np.isnan(numbers)].all())
    return ColumnKind(
        "integer" if whole else "percent" if as_field.kind == "percent" else "number",
        as_field.unit,
        odd=column.known - read,
        thousands=evidence.problem,
        numbers=numbers,
    )


def _date(column: RawColumn) -> ColumnKind | None:
    """Return the kind of a column of days, with every format that reads them all."""
    if not any(mark in next(iter(column.counts)) for mark in "-/."):
        return None
    readings = {form: days for form in DATE_FORMATS if (days := dict(_days(column, form)))}
    read = {form: sum(column.counts[text] for text in days) for form, days in readings.items()}
    most = max(read.values(), default=0)
    if most < NEARLY_ALL * column.known:
        return None
    formats = tuple(form for form, count in read.items() if count == most)
    days = readings[formats[0]]
    latest = max(days.values())
    years = [
        (latest - days[text]).days / DAYS_OF_A_YEAR if text in days else math.nan for text in column.texts
    ]
    return ColumnKind(
        "date", formats=formats, latest=latest, odd=column.known - most, numbers=np.array(years)[column.codes]
    )


def _days(column: RawColumn, form: str) -> Iterator[tuple[str, date]]:
    for text in column.counts:
        if (day := day_of(text, form)) is not None:
            yield text, day


def _words(column: RawColumn) -> ColumnKind:
    values = len(column.counts)
    if values > MOST_CATEGORIES * 4 or column.known < LEAST_REPEATED * values:
        return ColumnKind("text")
    is_rare = min(column.counts.values()) < LEAST_PEOPLE
    if values > MOST_CATEGORIES and not any(count >= LEAST_PEOPLE for count in column.counts.values()):
        return ColumnKind("text")
    return ColumnKind("category", is_learned=is_rare or values > MOST_LISTED)
