"""The cells of one column: their values, and which of them the field accepts."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn.dictionary.domain import IDENTIFIER, Field
from churn.ingest import values
from churn.ingest.columns import as_floats, as_text, is_number
from churn.ingest.notation import Notation
from churn.ingest.values import Mask, Values
from churn.schemas.employee import LONGEST_IDENTIFIER

_PLAIN_IDENTIFIER = rf"^[ -~]{{0,{LONGEST_IDENTIFIER}}}$"


def parse(field: Field, column: Any, notation: Notation) -> tuple[Values, Mask]:
    """Return a column's values as `churn.model.vectorized` takes them, and whether the field accepts each.

    A column of numbers is checked as numbers, any other as text, once for each distinct one: so a
    boolean is neither a number nor a category.
    """
    if field.numeric and is_number(column.type):
        return _numbers(field, column, notation)
    encoded = as_text(column)
    # A numbers column of an extract and of a flat table read alike; only ids depend on the extract.
    parsed, accepted = values.parse(field, encoded.dictionary, extract=field.extract, notation=notation)
    places = encoded.indices.to_numpy()
    return parsed[places], accepted[places]


def _numbers(field: Field, column: Any, notation: Notation) -> tuple[Values, Mask]:
    found, valid = values.check(field, as_floats(column), notation.fractions)
    if column.null_count and values.may_be_unknown(field):
        valid |= np.asarray(column.is_null())
    return found, valid


def identifiers(column: Any) -> tuple[Any, Mask]:
    """Return the ids of a column, null where there is none, and whether the API would accept each.

    Whole numbers become int64, anything else text without surrounding space.
    """
    if is_number(column.type):
        return _numbered(column)
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null(""))
    accepted = np.array(pc.match_substring_regex(texts, _PLAIN_IDENTIFIER), dtype=bool)
    for other in np.flatnonzero(~accepted).tolist():
        text = texts[other].as_py()
        accepted[other] = text.isprintable() and len(text) <= LONGEST_IDENTIFIER
    return pc.if_else(pc.equal(texts, ""), None, texts), accepted


def _numbered(column: Any) -> tuple[Any, Mask]:
    numbers: NDArray[np.float64] = np.asarray(column.cast(pa.float64(), safe=False).fill_null(0))
    # As a float, the largest is one more, and none in between.
    valid = (numbers >= 0) & (numbers < float(IDENTIFIER.highest)) & (numbers == np.floor(numbers))
    whole = pc.if_else(pa.array(valid), column, None).cast(pa.int64(), safe=False)
    return whole, valid


def expected(field: Field, found: object) -> str:
    """Return what a cell of the field should hold, as a reject says it; `found` is what it holds."""
    number = float(found) if isinstance(found, int | float) else math.nan
    if field is not IDENTIFIER:
        return values.expected(field, field.extract, number)
    bound = f"at most {field.highest:,}" if number > field.highest else "0 or more"
    return f"an integer, {bound}, or a text of 1 to {LONGEST_IDENTIFIER} characters, or nothing"
