"""How a file of employees is read."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileReading:
    """What parts a file's values, whether 11,5 may stand for 11.5, and what its columns stand for.

    `columns` has the name of each in the file, and the field; `sheet` is the number of a workbook's sheet,
    from 1. `encoding` is that of a text file, as Python calls it; `rows` counts those below the header but
    for the `blanks`.
    """

    file: str
    format: str
    delimiter: str | None
    decimal_comma: bool
    columns: Sequence[tuple[str, str]]
    sheet: int | None = None
    sheet_name: str | None = None
    encoding: str | None = None
    rows: int | None = None
    blanks: int = 0
