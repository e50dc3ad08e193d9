"""From the texts of a column to its values: numbers, category codes and identifiers."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.dictionary import domain
from churn.dictionary.domain import OTHER_MARK, Extract, Field, Mark
from churn.ingest.notation import Notation

# Padded or not, and 3.0 where a spreadsheet made numbers of them; 18 digits fit an int64.
IDENTIFIER = r"0*(\d{1,18})(?:\.0+)?$"
IDENTIFIER_PREFIX: dict[Extract, str] = {"sirh": "^", "eval": "^(?:E_)?", "sondage": "^"}
IDENTIFIER_FORM: dict[Extract, str] = {
    "sirh": "the employee's number, of at most 18 digits",
    "eval": "E_ and the employee's number, of at most 18 digits",
    "sondage": "the employee's number, padded with zeros or not, of at most 18 digits",
}

Values = NDArray[Any]  # float64, int64 or int8, by the field's kind
Mask = NDArray[np.bool_]


def parse(field: Field, texts: Any, *, extract: Extract, notation: Notation) -> tuple[Values, Mask]:
    """Return the value of each text, and whether the field accepts it.

    Numbers are float64 (percentages in points: 11 for 11 %), identifiers int64, categories the
    int8 position in `field.categories`. Unknown is NaN, or -1 for a category; only an optional
    or protected field accepts it.
    """
    texts = pc.utf8_trim_whitespace(texts)
    if field.kind == "category":
        values, valid = _categories(field, texts)
    elif field.kind == "identifier":
        values, valid = _identifiers(texts, IDENTIFIER_PREFIX[extract] + IDENTIFIER)
    else:
        values, valid = _numbers(field, texts, notation)
    empty = _mask(pc.equal(texts, ""))
    return values, np.where(empty, may_be_unknown(field), valid)


def expected(field: Field, extract: Extract, number: float = math.nan) -> str:
    """Return what a cell of the field should hold, as a problem says it; `number` is what it holds."""
    if field.kind == "category":
        form = "one of " + ", ".join(field.categories)
    elif field.kind == "identifier":
        form = IDENTIFIER_FORM[extract]
    else:
        noun = {"integer": "an integer", "percent": "a percentage"}.get(field.kind, "a number")
        top = " or more" if field.maximum is None else f" to {field.maximum:g}"
        form = f"{noun}, {field.minimum:g}{top}"
        if field.maximum is None and number > field.highest:
            form = f"{noun}, at most {field.highest:,.0f}"
    return form + ", or nothing where unknown" * may_be_unknown(field)


def may_be_unknown(field: Field) -> bool:
    """Return whether an empty cell of the field is accepted."""
    return field.role in ("optional", "protected")


def _numbers(field: Field, texts: Any, notation: Notation) -> tuple[Values, Mask]:
    fractions = np.full(len(texts), notation.fractions)
    if field.kind == "percent":
        fractions &= ~_mask(pc.ends_with(texts, "%"))
        texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, "%$", ""))
    if notation.thousands is not None:
        texts = _ungrouped(texts, notation.thousands)
    elif notation.decimal_comma or field.kind == "percent":  # no thousands in a percentage, nor in the API's
        texts = pc.replace_substring(texts, ",", ".")
    readable = pc.match_substring_regex(texts, domain.NUMBER)
    numbers = np.array(pc.if_else(readable, texts, None).cast(pa.float64()), dtype=np.float64)
    return check(field, numbers, fractions)


def _ungrouped(texts: Any, mark: Mark) -> Any:
    """Return texts without the mark between thousands, and with a decimal point; null where misplaced."""
    decimals = f"([{OTHER_MARK[mark]}][0-9]*)?$"
    placed = pc.match_substring_regex(texts, f"^-?([0-9]+|[0-9]{{1,3}}([{mark}][0-9]{{3}})+){decimals}")
    plain = pc.replace_substring(pc.replace_substring(texts, mark, ""), OTHER_MARK[mark], ".")
    return pc.if_else(placed, plain, None)


def check(field: Field, numbers: NDArray[np.float64], fractions: Mask | bool) -> tuple[Values, Mask]:
    """Return numbers in the field's unit, and whether the field accepts each; NaN is not accepted.

    `fractions` tells which percentages are fractions.
    """
    if field.kind == "percent":
        fractions = np.asarray(fractions) & (np.abs(numbers) <= 1)
        numbers = numbers.copy()
        numbers[fractions] = np.round(numbers[fractions] * 100, 9)  # as domain.as_percent
    valid = (numbers >= (field.minimum or 0)) & (numbers <= field.highest)
    if field.kind == "integer":
        valid &= numbers == np.floor(numbers)
    return numbers, valid


def _categories(field: Field, texts: Any) -> tuple[Values, Mask]:
    position = {category: place for place, category in enumerate(field.categories)}
    found = (position.get(field.category(text) or "", -1) for text in texts.to_pylist())
    codes = np.fromiter(found, dtype=np.int8, count=len(texts))
    return codes, codes >= 0


def _identifiers(texts: Any, pattern: str) -> tuple[Values, Mask]:
    readable = pc.match_substring_regex(texts, pattern)
    digits = pc.if_else(readable, pc.replace_substring_regex(texts, pattern, r"\1"), "0")
    return np.array(digits.cast(pa.int64())), _mask(readable)


def _mask(flags: Any) -> Mask:
    return np.array(flags, dtype=bool)
