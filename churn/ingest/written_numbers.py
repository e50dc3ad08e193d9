"""Numbers as people write them: with the unit of their field, and spaces between thousands."""

from typing import Any

import pyarrow.compute as pc

from churn.dictionary.field import Field

_SPACE = r"[ \x{a0}\x{202f}\x{2009}'’]"  # between thousands; the Swiss write apostrophes
_GROUPED = rf"^-?[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}})+(?:[.,][0-9]*)?$"
_EURO = "€|eur|euros?"
_YEAR = r"ans?|années?|years?|yrs?"
_UNITS = {"€": _EURO, "ans": _YEAR, "years": _YEAR, "km": "kms?|kilomètres?|kilometers?|kilometres?"}


def plain(field: Field, texts: Any) -> Any:
    """Return texts of numbers without what can be read in one way only; others stay as they are."""
    if not pc.any(pc.match_substring_regex(texts, r"[^-+0-9.,eE]")).as_py():
        return texts
    if units := _UNITS.get(field.unit):
        texts = pc.replace_substring_regex(texts, rf"(?i)^([0-9].*?){_SPACE}*(?:{units})\.?$", r"\1")
        if units is _EURO:
            texts = pc.replace_substring_regex(texts, rf"(?i)^(?:{units}){_SPACE}*([0-9])", r"\1")
    grouped = pc.match_substring_regex(texts, _GROUPED)
    ungrouped = pc.replace_substring(pc.replace_substring_regex(texts, _SPACE, ""), ",", ".")
    return pc.if_else(grouped, ungrouped, texts)
