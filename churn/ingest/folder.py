"""A folder of extracts, joined in memory, as a table of employees."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from churn.core.errors import Problem
from churn.dictionary.dictionary import Dictionary
from churn.i18n import file_sentences
from churn.ingest import extracts
from churn.ingest.mark import Mark
from churn.ingest.raw_rows import BATCH_ROWS
from churn.ingest.rows import Reject, Rows
from churn.schemas.file_reading import FileReading


class FolderTable:
    """The employees whom all extracts hold; an `EmployeeTable`. A join holds all of them in memory.

    Raises:
        ExtractError: a file or its header has a problem; all problems are listed.
    """

    place = "line"
    employee_type: Any = pa.int64()

    def __init__(self, directory: Path, dictionary: Dictionary, *, thousands: Mark | None = None) -> None:
        scorable = extracts.read_scorable(directory, dictionary, thousands=thousands)
        self._dictionary = dictionary
        self._columns = scorable.columns
        self._count = len(scorable.columns[dictionary.identifier.name])
        self._rejects = [_reject(problem, employee) for problem, employee in scorable.rejects]
        self._read = 0
        self._readings = scorable.readings
        self.notices = list(scorable.notices)
        if scorable.has_target:
            self.notices.insert(0, file_sentences.target_ignored(dictionary.target.name))

    def batches(self) -> Iterator[Rows]:
        """Return the rows, some at a time, by ascending id; the rejects come with the first."""
        rows, self._read = self._whole(), 0
        yield Rows(rows.numbers[:0], {}, rows.employees[:0], self._rejects, _employees(self._rejects))
        for part in rows.slices(BATCH_ROWS):
            self._read += len(part.numbers)
            yield part

    def share(self) -> float:
        """Return how much of the table was read, 0 to 1."""
        return self._read / self._count if self._count else 1.0

    def readings(self) -> Sequence[FileReading]:
        """Return how the files are read."""
        return self._readings

    def lines(self, places: Sequence[int]) -> Sequence[int]:
        """Return the lines that the places of rejects are: the same."""
        return places

    def _whole(self) -> Rows:
        cells = {
            field.name: self._columns[field.name]
            for field in self._dictionary.inputs
            if field is not self._dictionary.identifier
        }
        ids = pa.array(self._columns[self._dictionary.identifier.name])
        return Rows(np.arange(1, self._count + 1), cells, ids)


def _reject(problem: Problem, employee: int | None) -> Reject:
    shown = None if employee is None else str(employee)
    return Reject(problem.file, problem.line or 0, shown, problem.column, problem.value, problem.expected)


def _employees(rejects: list[Reject]) -> int:
    """Return how many employees were rejected; a line without a readable id counts as one."""
    return len({reject.employee or (reject.file, reject.place) for reject in rejects})
