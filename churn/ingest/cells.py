"""The cells of one column: their values, and which of them the field accepts."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.dictionary import usual_words
from churn.dictionary.dictionary import Extract
from churn.dictionary.field import LARGEST_IDENTIFIER, Field
from churn.i18n import file_sentences
from churn.ingest import written_numbers
from churn.ingest.columns import as_floats, as_text, is_number
from churn.ingest.mark import OTHER_MARK, Mark
from churn.ingest.notation import Notation
from churn.schemas.identifier import LONGEST_IDENTIFIER
from churn.schemas.normalization import NUMBER

# Padded or not, and 3.0 where a spreadsheet made numbers of them; 18 digits fit an int64.
MOST_DIGITS = 18
_NUMBER = rf"0*(\d{{1,{MOST_DIGITS}}})(?:\.0+)?$"
# What Excel shows where a formula failed; a search that finds nobody leaves no employee's id.
_ERRORS = (
    *("#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#DIV/0!", "#SPILL!", "#CALC!", "#FIELD!"),
    *("#BLOCKED!", "#BUSY!", "#CONNECT!", "#EXTERNAL!", "#GETTING_DATA", "#PYTHON!", "#UNKNOWN!"),
)
_PLAIN_IDENTIFIER = rf"^[ -~]{{0,{LONGEST_IDENTIFIER}}}$"

Values = NDArray[Any]  # float64, int64 or int8, by the field's kind
Mask = NDArray[np.bool_]


def parse(field: Field, column: Any, notation: Notation) -> tuple[Values, Mask]:
    """Return a column's values as `churn.model.vectorized` takes them, and whether the field accepts each.

    Numbers are float64 (percentages in points: 11 for 11 %), categories the int8 position in
    `field.categories`. Unknown is NaN, or -1 for a category; only an optional or protected field accepts it.
    A column of numbers is checked as numbers, any other as text, once for each distinct one: so a boolean is
    no number, but a yes or a no.
    """
    if field.numeric and is_number(column.type):
        values, valid = _check(field, as_floats(column), notation.fractions)
        return values, valid | (field.may_be_unknown & _mask(column.is_null()))
    encoded = as_text(column)
    texts = pc.utf8_trim_whitespace(encoded.dictionary)
    if field.kind == "date":
        values, valid = _years(field, texts)
    else:
        values, valid = _numbers(field, texts, notation) if field.numeric else _categories(field, texts)
    valid = np.where(_missing(field, texts, valid), field.may_be_unknown, valid)
    places = encoded.indices.to_numpy()
    return values[places], valid[places]


def _missing(field: Field, texts: Any, valid: Mask) -> Mask:
    """Return which texts say that there is no value; only those that are not valid can."""
    missing = _mask(pc.equal(texts, ""))
    for place in np.flatnonzero(~(valid | missing)).tolist():
        missing[place] = usual_words.is_missing(field, texts[place].as_py())
    return missing


def expected(field: Field, value: object, text: str = "") -> str:
    """Return what a cell of the field should hold; `value` is what it holds, `text` as it is written."""
    if field.kind == "identifier" and usual_words.is_total(text):
        return file_sentences.NO_TOTALS
    too_large = isinstance(value, int | float) and value > field.highest
    unknown = field.may_be_unknown or field.kind == "identifier"
    sentence = file_sentences.cell(field, too_large=too_large, may_be_empty=unknown)
    return file_sentences.missing(sentence) if text and usual_words.is_missing(field, text) else sentence


def _numbers(field: Field, texts: Any, notation: Notation) -> tuple[Values, Mask]:
    fractions = np.full(len(texts), notation.fractions)
    if field.kind == "percent":
        fractions &= ~_mask(pc.ends_with(texts, "%"))
        texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, "%$", ""))
    else:
        texts = written_numbers.plain(field, texts)
    if notation.thousands is not None:
        texts = _ungrouped(texts, notation.thousands)
    elif notation.decimal_comma or field.kind == "percent":  # no thousands in a percentage, nor in the API's
        texts = pc.replace_substring(texts, ",", ".")
    readable = pc.match_substring_regex(texts, NUMBER)
    numbers = np.array(pc.if_else(readable, texts, None).cast(pa.float64()), dtype=np.float64)
    return _check(field, numbers, fractions)


def _ungrouped(texts: Any, mark: Mark) -> Any:
    """Return texts without the mark between thousands, and with a decimal point; null where misplaced."""
    decimals = f"([{OTHER_MARK[mark]}][0-9]*)?$"
    placed = pc.match_substring_regex(texts, f"^-?([0-9]+|[0-9]{{1,3}}([{mark}][0-9]{{3}})+){decimals}")
    plain = pc.replace_substring(pc.replace_substring(texts, mark, ""), OTHER_MARK[mark], ".")
    return pc.if_else(placed, plain, None)


def _check(field: Field, numbers: NDArray[np.float64], fractions: Mask | bool) -> tuple[Values, Mask]:
    """Return numbers in the field's unit, and whether the field accepts each; NaN is not accepted.

    `fractions` tells which percentages are fractions.
    """
    if field.kind == "percent":
        fractions = np.asarray(fractions) & (np.abs(numbers) <= 1)
        numbers = numbers.copy()
        numbers[fractions] = np.round(numbers[fractions] * 100, 9)  # as `normalization.as_percent`
    valid = (numbers >= (field.minimum or 0)) & (numbers <= field.highest)
    if field.kind == "integer":
        valid &= numbers == np.floor(numbers)
    return numbers, valid


def _years(field: Field, texts: Any) -> tuple[Values, Mask]:
    years = (field.years_since(text) for text in texts.to_pylist())
    numbers = np.array([np.nan if found is None else found for found in years], dtype=np.float64)
    return _check(field, numbers, fractions=False)


def _categories(field: Field, texts: Any) -> tuple[Values, Mask]:
    position = {category: place for place, category in enumerate(field.categories)}
    places = (position.get(usual_words.category(field, text) or "", -1) for text in texts.to_pylist())
    codes = np.fromiter(places, dtype=np.int8, count=len(texts))
    return codes, codes >= 0


def _mask(flags: Any) -> Mask:
    return np.array(flags, dtype=bool)


def employee_numbers(column: Any, extract: Extract) -> tuple[Values, Mask]:
    """Return the employees' numbers in an extract's column as int64, and whether each could be read."""
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null(""))
    pattern = f"^(?:{re.escape(extract.id_prefix)})?{_NUMBER}"
    readable = pc.match_substring_regex(texts, pattern)
    digits = pc.if_else(readable, pc.replace_substring_regex(texts, pattern, r"\1"), "0")
    return np.array(digits.cast(pa.int64())), _mask(readable)


def identifiers(column: Any) -> tuple[Any, Mask]:
    """Return the ids of a column, null where there is none, and whether each can be one.

    Those that can are what the API would accept, but for a spreadsheet's errors. Whole numbers become int64,
    anything else text without surrounding space.
    """
    if is_number(column.type):
        return _numbered(column)
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null(""))
    accepted = np.array(pc.match_substring_regex(texts, _PLAIN_IDENTIFIER), dtype=bool)
    for other in np.flatnonzero(~accepted).tolist():
        text = texts[other].as_py()
        accepted[other] = text.isprintable() and len(text) <= LONGEST_IDENTIFIER
    accepted &= ~_mask(pc.is_in(texts, pa.array(_ERRORS)))
    accepted &= ~_mask(pc.match_substring_regex(texts, usual_words.TOTAL))
    return pc.if_else(pc.equal(texts, ""), None, texts), accepted


def _numbered(column: Any) -> tuple[Any, Mask]:
    numbers: NDArray[np.float64] = np.asarray(column.cast(pa.float64(), safe=False).fill_null(0))
    # As a float, the largest is one more, and none in between.
    valid = (numbers >= 0) & (numbers < float(LARGEST_IDENTIFIER)) & (numbers == np.floor(numbers))
    whole = pc.if_else(pa.array(valid), column, None).cast(pa.int64(), safe=False)
    return whole, valid
