"""Rows of employees that every check accepted, and why others were not."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from churn.core.errors import Problem, RejectedRowsError
from churn.ingest.findings import LIMIT
from churn.model.vectorized import Cells
from churn.schemas.file_reading import FileReading


@dataclass(frozen=True, slots=True)
class Reject:
    """One thing that keeps a row from being scored: where it is, and what was expected there.

    `place` is the row's number, or its line where the table says that it counts lines.
    """

    file: str
    place: int
    employee: str | None
    column: str | None
    value: str | None
    expected: str


def refusal(rejects: Sequence[Reject], place: str) -> RejectedRowsError:
    """Return the error that lists rejects where none is accepted.

    Without their values: those are for a file on the operator's own disk, not for a console.
    """
    problems = [
        Problem(r.file, None, f"{place} {r.place}" + f", {r.column}" * bool(r.column), None, r.expected)
        for r in rejects[:LIMIT]
    ]
    return RejectedRowsError(problems, len(rejects))


@dataclass(frozen=True)
class Rows:
    """Some of a table's rows, in its order: those that may be scored, and why the others may not.

    `numbers` are those of the rows, 1 being the first below the header; `cells` are as
    `churn.model.vectorized` takes them; `employees` is an array of ids, or None where the table has none.
    """

    numbers: NDArray[np.int64]
    cells: Cells
    employees: Any  # a pyarrow.Array, which has no types
    rejects: Sequence[Reject] = ()
    rejected: int = 0  # rows; one may have several rejects

    def slices(self, size: int) -> Iterator["Rows"]:
        """Return the rows in parts of at most `size`, without the rejects."""
        for start in range(0, len(self.numbers), size):
            part = slice(start, start + size)
            ids = None if self.employees is None else self.employees.slice(start, size)
            yield Rows(self.numbers[part], {name: cells[part] for name, cells in self.cells.items()}, ids)


class EmployeeTable(Protocol):
    """A table of employees, wherever it comes from.

    `employee_type` is the Arrow type of the ids, None where there are none; `place` says what rejects count,
    "row" or "line"; `notices` are what the owner of the table should know about how it is read.
    """

    employee_type: Any
    place: str
    notices: list[str]

    def batches(self) -> Iterable[Rows]:
        """Return the rows, some at a time; as often as they are asked for.

        Raises:
            ExtractError: the file cannot be read on.
        """
        ...

    def share(self) -> float:
        """Return how much of the table was read, 0 to 1."""
        ...

    def readings(self) -> Sequence[FileReading]:
        """Return how the table's files are read."""
        ...

    def lines(self, places: Sequence[int]) -> Sequence[int]:
        """Return the lines of the file that the places of rejects are on."""
        ...
