"""Filters in the address of a page: days as people mean them, and what is wrong with a filter."""

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from starlette.requests import Request

from churn.core.errors import InvalidInputError
from churn.core.language import Language, Pair
from churn.i18n import refusal_sentences

_EXPECTED_DAY: Pair = ("une date, comme 2026-03-31", "a date, such as 2026-03-31")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def typed_filters(request: Request, names: Iterable[str]) -> dict[str, str]:
    """Return what was typed into the filters of these names; those that are empty are none."""
    given = {name: request.query_params.get(name, "").strip() for name in names}
    return {name: text for name, text in given.items() if text}


def with_last_day(typed: Mapping[str, str]) -> dict[str, str]:
    """Return what the API would be asked. It ends before a moment: of a last day, the next one is meant."""
    asked = dict(typed)
    if _DAY.fullmatch(last := asked.get("until", "")):
        with suppress(ValueError, OverflowError):  # what is no day is refused as it is
            asked["until"] = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    return asked


def filter_errors(error: InvalidInputError, filters: Collection[str], language: Language) -> dict[str, str]:
    """Return what is wrong, by filter; under the empty name what is wrong with the address of the page."""
    found = {}
    for entry in error.errors:
        name = str(entry.loc[1]) if entry.loc[1] in filters else ""
        if entry.kind == "moment":
            entry = replace(entry, kind="day", expected=_EXPECTED_DAY)
        found[name] = refusal_sentences.field_error(entry, language)
    return found
