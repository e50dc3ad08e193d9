"""A file's columns, as Arrow has them: numbers, or anything that can be text."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def is_number(kind: Any) -> bool:
    """Return whether a column of this Arrow type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def as_text(column: Any) -> Any:
    """Return a column as a dictionary array of text, the empty one standing for null.

    Raises:
        pyarrow.ArrowException: its cells cannot be text, as those of a list or a structure.
    """
    if pa.types.is_dictionary(column.type):
        if pa.types.is_string(column.type.value_type) and not column.null_count:
            return column
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()).fill_null("").dictionary_encode()


def as_floats(column: Any) -> NDArray[np.float64]:
    """Return a column of numbers as such, NaN standing for null."""
    if pa.types.is_float32(column.type):
        column = column.cast(pa.string())  # 0.1 as it was written, and not 0.10000000149
    return np.asarray(column.cast(pa.float64(), safe=False).fill_null(np.nan))


def joined(parts: list[Any]) -> Any:
    """Return the parts of a column, one or more, as one array."""
    return pa.chunked_array(parts).unify_dictionaries().combine_chunks()
