"""Which of a file's first rows is its header, where none of the names in it is known."""

from collections.abc import Sequence
from typing import Final

_MOST_OF_A_TITLE: Final = 2  # filled cells: what it is, and of which day


def first_header(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the place of the first row that is no title: none of few cells above rows of far more."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    widest = max(filled, default=0)
    places = (place for place, count in enumerate(filled) if count > _MOST_OF_A_TITLE or 2 * count >= widest)
    return next(places, None)
