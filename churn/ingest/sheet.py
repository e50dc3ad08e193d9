"""One extract, read whole: its columns, each found by its field, and the lines of its rows."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.core.errors import ExtractError, Problem
from churn.dictionary.domain import Extract
from churn.ingest import columns, header
from churn.ingest.findings import Findings
from churn.ingest.reader import Reader, open_reader

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
    """The columns of one extract, by canonical field name.

    `numbers` are those of its rows, 1 being the first below the header; `whole` is false where ragged rows
    were left out.
    """

    file: str
    extract: Extract
    columns: dict[str, Column]
    numbers: NDArray[np.int64]
    whole: bool
    decimal_comma: bool
    find_lines: Callable[[], Sequence[int]]

    @cached_property
    def lines(self) -> NDArray[np.int64]:
        """The line of each row, looked up only once a problem needs it."""
        return np.asarray(self.find_lines())[self.numbers - 1]

    def report(
        self, findings: Findings, column: Column, rows: NDArray[np.intp], expected: Iterable[str]
    ) -> None:
        """Add one problem for each of these rows' cells, saying what was expected in each."""
        problems = (
            Problem(self.file, int(self.lines[row]), column.spelling, column.shown(row), text)
            for row, text in zip(rows, expected, strict=False)
        )
        findings.add_many(problems, count=len(rows))


def read(
    path: Path, extract: Extract, findings: Findings, *, dispensable: Collection[str] = ()
) -> Sheet | None:
    """Read one extract; return None, and say why in `findings`, where no row of it can be checked.

    Only the columns of `dispensable` fields may be absent.
    """
    try:
        reader = open_reader(path)
        parts = list(reader.batches())
    except ExtractError as error:
        findings.add_many(error.problems, count=error.total)
        return None
    numbers = np.concatenate([part.numbers for part in parts] or [np.zeros(0, dtype=np.int64)])
    ragged = [row for part in parts for row in part.ragged]
    _report_ragged(path, reader, ragged, findings)
    if not ragged and not len(numbers):
        findings.add(Problem(path.name, None, None, None, "at least one employee below the header"))
        return None
    found = {}
    positions = header.match(reader.names, path.name, findings, header.of_extract(extract, dispensable))
    for name, position in positions.items():
        spelling, column = reader.names[position], columns.joined([part.columns[position] for part in parts])
        try:
            found[name] = _encode(spelling, column)
        except pa.ArrowException:
            expected = f"a column of text or numbers, not {column.type}"
            findings.add(Problem(path.name, 1, spelling, None, expected))
    return Sheet(path.name, extract, found, numbers, not ragged, reader.decimal_comma, reader.lines)


def _report_ragged(path: Path, reader: Reader, ragged: Sequence[tuple[int, int]], findings: Findings) -> None:
    if ragged:
        lines, width = reader.lines(), len(reader.names)
        problems = (
            Problem(path.name, lines[row - 1], None, None, f"{width} values, as in the header, not {length}")
            for row, length in ragged
        )
        findings.add_many(problems, count=len(ragged))


def _encode(spelling: str, cells: Any) -> Column:
    encoded = columns.as_text(cells)
    return Column(spelling, encoded.dictionary, encoded.indices.to_numpy(), columns.is_number(cells.type))
