"""One extract as columns of text: each column's distinct texts are kept, and so checked, once."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.core.errors import Problem
from churn.dictionary.domain import Extract
from churn.ingest import extract_header, raw_file
from churn.ingest.findings import Findings

SHOWN_LENGTH = 80  # of a value in a problem: a quote left open makes one value of the rest of a file


@dataclass(frozen=True)
class Column:
    """One column: its name in the file, its distinct texts, and which of them each row holds.

    `typed` tells that they were numbers.
    """

    spelling: str
    texts: Any  # a pyarrow.StringArray, which has no types
    codes: NDArray[np.int32]
    typed: bool

    def shown(self, row: np.intp) -> str:
        """Return a cell's text as a problem quotes it."""
        text = str(self.texts[int(self.codes[row])])
        return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


@dataclass(frozen=True)
class Sheet:
    """The columns of one extract, by canonical field name; the rest as in RawFile."""

    file: str
    extract: Extract
    columns: dict[str, Column]
    find_lines: Callable[[], Sequence[int]]
    whole: bool
    decimal_comma: bool

    @cached_property
    def lines(self) -> Sequence[int]:
        """The line of each row, looked up only once a problem needs it."""
        return self.find_lines()

    def report(
        self, findings: Findings, column: Column, rows: NDArray[np.intp], expected: Iterable[str]
    ) -> None:
        """Add one problem for each of these rows' cells, saying what was expected in each."""
        problems = (
            Problem(self.file, self.lines[row], column.spelling, column.shown(row), text)
            for row, text in zip(rows, expected, strict=False)
        )
        findings.add_many(problems, count=len(rows))


def read(
    path: Path, extract: Extract, findings: Findings, *, dispensable: Container[str] = ()
) -> Sheet | None:
    """Read one extract; return None, and say why in `findings`, where no row of it can be checked.

    Only the columns of `dispensable` fields may be absent.
    """
    raw = raw_file.read(path, findings)
    if raw is None:
        return None
    columns = {}
    positions = extract_header.match(raw.names, extract, path.name, findings, dispensable=dispensable)
    for name, position in positions.items():
        spelling = raw.names[position]
        try:
            columns[name] = _encode(spelling, raw.columns[position])
        except pa.ArrowException:
            kind = raw.columns[position].type
            findings.add(Problem(path.name, 1, spelling, None, f"a column of text or numbers, not {kind}"))
    return Sheet(path.name, extract, columns, raw.find_lines, raw.whole, raw.decimal_comma)


def _encode(spelling: str, cells: Any) -> Column:
    """Return a column as text, the empty one standing for null."""
    typed = raw_file.is_number(cells.type)
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    encoded = cells.cast(pa.string()).fill_null("").dictionary_encode().combine_chunks()
    return Column(spelling, encoded.dictionary, encoded.indices.to_numpy(), typed)
