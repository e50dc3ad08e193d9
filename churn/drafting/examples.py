"""Records for documents and forms, made up of the middle of each field: nobody's own."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.dictionary.field import DAYS_OF_A_YEAR
from churn.drafting.column_kind import ColumnKind
from churn.drafting.draft import DraftField
from churn.ingest.raw_column import RawColumn, yes_or_no

Flags = NDArray[np.bool_]


def typical(
    fields: Sequence[tuple[DraftField, RawColumn, Flags]], kinds: Mapping[RawColumn, ColumnKind]
) -> dict[str, dict[str, Any]]:
    """Return a typical leaver and a typical stayer; each field comes with who has left, by its own rows.

    They hold the core fields alone.
    """
    core = [item for item in fields if item[0].role == "core"]
    return {
        name: {
            field.name: _middle(field, column, kinds[column], side(flags)) for field, column, flags in core
        }
        for name, side in (("leaver", np.asarray), ("stayer", np.logical_not))
        if core
    }


def _middle(field: DraftField, column: RawColumn, kind: ColumnKind, rows: Flags) -> Any:
    """Return the median of a field's numbers or days, or its most frequent category, among some rows."""
    if kind.numbers is None:
        counts = np.bincount(column.codes[rows], minlength=len(column.texts))
        text = column.texts[int(counts.argmax())]
        return yes_or_no(text) if kind.kind == "yes/no" else _kept(field, text)
    middle = float(np.nanmedian(kind.numbers[rows]))
    if kind.kind == "date":
        return field.entry["reference"] - timedelta(days=round(middle * DAYS_OF_A_YEAR))
    return round(middle) if kind.kind == "integer" else round(middle, 2)


def _kept(field: DraftField, text: str) -> str:
    """Return a category that is written down or learned, for one that may be too rare to be."""
    return text if text in field.entry.get("categories", ()) else str(field.entry["learned"]["other"])
