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
from churn.dictionary.dictionary import Dictionary, Extract
from churn.dictionary.field import Field
from churn.i18n import file_sentences
from churn.ingest import header
from churn.ingest.columns import joined
from churn.ingest.findings import Findings
from churn.ingest.raw_rows import RawRows
from churn.ingest.reader import Reader, open_reader, reading
from churn.schemas.file_reading import FileReading

SHOWN_LENGTH = 80  # of a value in a problem: a quote left open makes one value of the rest of a file


@dataclass(frozen=True)
class Column:
    """One column: the field that it stands for, its name in the file, and its cells."""

    field: Field
    spelling: str
    cells: Any  # a pyarrow.Array, which has no types

    def shown(self, row: np.intp) -> str:
        """Return a cell's text as a problem quotes it."""
        text = self.cells.slice(int(row), 1).cast(pa.string())[0].as_py() or ""
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
    reading: FileReading
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
    path: Path,
    dictionary: Dictionary,
    extract: Extract,
    findings: Findings,
    *,
    dispensable: Collection[str] = (),
) -> Sheet | None:
    """Read one extract; return None, and say why in `findings`, where no row of it can be checked.

    Only the columns of `dispensable` fields may be absent.
    """
    try:
        reader = open_reader(path, dictionary)
        parts = list(reader.batches())
        ragged = _report_ragged(path, reader, parts, findings)
    except ExtractError as error:
        findings.add_many(error.problems, count=error.total)
        return None
    numbers = np.concatenate([part.numbers for part in parts] or [np.zeros(0, dtype=np.int64)])
    if not ragged and not len(numbers):
        findings.add(Problem(path.name, None, None, None, file_sentences.AN_EMPLOYEE))
        return None
    expected = header.of_extract(dictionary, extract, dispensable)
    findings.notices += [file_sentences.in_file(path.name, notice) for notice in reader.notices]
    positions = header.match(reader.names, path.name, findings, expected)
    columns = {
        name: Column(
            dictionary.by_name[name],
            reader.names[position],
            joined([part.columns[position] for part in parts]),
        )
        for name, position in positions.items()
    }
    return Sheet(
        path.name,
        extract,
        columns,
        numbers,
        not ragged,
        reader.decimal_comma,
        reading(path, reader, positions, len(numbers), sum(part.blanks for part in parts)),
        reader.lines,
    )


def _report_ragged(path: Path, reader: Reader, parts: Sequence[RawRows], findings: Findings) -> bool:
    """Report the rows with too many or too few values; return whether there are any."""
    ragged = [row for part in parts for row in part.ragged]
    lines, width = reader.lines() if ragged else (), len(reader.names)
    problems = (
        Problem(path.name, lines[row - 1], None, None, file_sentences.values(width, length))
        for row, length in ragged
    )
    findings.add_many(problems, count=len(ragged))
    return bool(ragged)
