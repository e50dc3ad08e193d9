"""The cells of one column: their values, and which of them the field accepts."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from churn import domain
from churn.domain import Field
from churn.extracts import values
from churn.extracts.values import Mask, Values
from churn.schemas import LONGEST_IDENTIFIER

IDENTIFIERS = 2.0**63  # that a number can be
_PLAIN_IDENTIFIER = rf"^[ -~]{{0,{LONGEST_IDENTIFIER}}}$"


def parse(field: Field, column: Any, *, decimal_comma: bool) -> tuple[Values, Mask]:
    """Return a column's values as `churn.columns` takes them, and whether the field accepts each.

    A column of numbers is checked as numbers, any other as text, once for each distinct one: so a
    boolean is neither a number nor a category.
    """
    if field.numeric and is_number(column.type):
        return _numbers(field, column)
    encoded = as_text(column)
    # A numbers column of an extract and of a flat table read alike; only ids depend on the extract.
    parsed, accepted = values.parse(
        field, encoded.dictionary, extract=field.extract, decimal_comma=decimal_comma
    )
    places = encoded.indices.to_numpy()
    return parsed[places], accepted[places]


def is_number(kind: Any) -> bool:
    """Return whether a column of this Arrow type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def as_text(column: Any) -> Any:
    """Return a column as a dictionary array of text, the empty one standing for null."""
    if pa.types.is_dictionary(column.type):
        if pa.types.is_string(column.type.value_type) and not column.null_count:
            return column
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()).fill_null("").dictionary_encode()


def _numbers(field: Field, column: Any) -> tuple[Values, Mask]:
    numbers = column.cast(pa.float64(), safe=False)
    found, valid = values.check(field, np.asarray(numbers.fill_null(np.nan)))
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
    valid = (numbers >= 0) & (numbers < IDENTIFIERS) & (numbers == np.floor(numbers))
    whole = pc.if_else(pa.array(valid), column, None).cast(pa.int64(), safe=False)
    return whole, valid


def expected(field: Field) -> str:
    """Return what a cell of the field should hold, as a reject says it."""
    if field is domain.IDENTIFIER:
        return f"an integer, 0 or more, or a text of 1 to {LONGEST_IDENTIFIER} characters, or nothing"
    return values.expected(field, field.extract)
