"""A flat file of employees, checked some rows at a time as the extracts and the API check them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.core.errors import ExtractError, Problem
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.usual_words import is_total
from churn.i18n import file_sentences
from churn.ingest import cells, header
from churn.ingest.cells import Mask, Values
from churn.ingest.columns import is_number
from churn.ingest.findings import Findings
from churn.ingest.mark import Mark
from churn.ingest.notation import Evidence, depends_on_cells
from churn.ingest.raw_rows import RawRows
from churn.ingest.reader import open_reader, reading
from churn.ingest.rows import Reject, Rows
from churn.ingest.sheet import SHOWN_LENGTH
from churn.schemas.file_reading import FileReading


class FlatTable:
    """A CSV or Parquet file with one employee a row; an `EmployeeTable`.

    The columns whose numbers may be written in several ways are read once beforehand, to find out in which;
    `thousands` is the separator where they do not show which it is, and `sheet` the name of a workbook's.

    Raises:
        ExtractError: the file cannot be read, or its header is not understood; all is listed.
    """

    place = "row"

    def __init__(
        self,
        path: Path,
        dictionary: Dictionary,
        *,
        labelled: bool = False,
        ignore: Collection[str] = (),
        thousands: Mark | None = None,
        sheet: str | None = None,
    ) -> None:
        self._path, self._file = path, path.name
        self._dictionary = dictionary
        self._reader = open_reader(path, dictionary, sheet=sheet)
        findings = Findings()
        expected = header.of_flat_file(dictionary, labelled=labelled, ignore=ignore)
        self._positions = header.match(self._reader.names, self._file, findings, expected)
        findings.raise_if_any()
        target = None if labelled else self._positions.pop(dictionary.target.name, None)
        self._fields = {name: dictionary.by_name[name] for name in self._positions}
        self.employee_type = self._id_type()
        evidence = self._evidence(thousands)
        self._notations = {name: seen.notation() for name, seen in evidence.items()}
        self.notices = [*self._reader.notices, *findings.notices, *self._notices(target)]
        self.notices += [*filter(None, (seen.notice() for seen in evidence.values()))]

    def batches(self) -> Iterator[Rows]:
        """Return the rows, some at a time; raises ExtractError where there are none, or not readable ones."""
        empty = True
        for raw in self._reader.batches():
            empty = empty and not len(raw.numbers) and not raw.ragged
            yield self._check(raw)
        if empty:
            raise ExtractError([Problem(self._file, None, None, None, file_sentences.AN_EMPLOYEE)])

    def share(self) -> float:
        """Return how much of the file was read, 0 to 1."""
        return self._reader.share()

    def readings(self) -> list[FileReading]:
        """Return how the file is read."""
        rows, blanks = self._reader.rows, self._reader.blanks
        return [reading(self._path, self._reader, self._positions, rows, blanks)]

    def lines(self, places: Sequence[int]) -> list[int]:
        """Return the lines of the file on which rows start."""
        lines = self._reader.lines() if places else ()
        return [lines[place - 1] for place in places]

    def _id_type(self) -> Any:
        position = self._positions.get(self._dictionary.identifier.name)
        if position is None:
            return None
        return pa.int64() if is_number(self._reader.types[position]) else pa.string()

    def _notices(self, target: int | None) -> list[str]:
        notices: list[str] = []
        if target is not None:
            notices.append(file_sentences.target_ignored(self._reader.names[target]))
        if absent := [f.name for f in self._dictionary.features if f.name not in self._positions]:
            notices.append(file_sentences.absent(absent))
        return notices

    def _evidence(self, thousands: Mark | None) -> dict[str, Evidence]:
        """Return what the columns show of how their numbers are written; ExtractError where too little."""
        comma = self._reader.decimal_comma
        evidence = {
            name: Evidence(field, decimal_comma=comma, thousands=thousands)
            for name, field in self._fields.items()
        }
        asked = {
            name: position
            for name, position in self._positions.items()
            if depends_on_cells(self._fields[name], self._reader.types[position])
        }
        for columns in self._reader.scan(list(asked.values())):
            for name, column in zip(asked, columns, strict=True):
                with self._explained(name, column):
                    evidence[name].add(column)
        doubtful = [self._problem(name, seen.problem) for name, seen in evidence.items() if seen.problem]
        if doubtful:
            raise ExtractError(doubtful)
        return evidence

    def _check(self, raw: RawRows) -> Rows:
        parsed: dict[str, NDArray[Any]] = {}
        accepted: dict[str, Mask] = {}
        employees = None
        for name, position in self._positions.items():
            field, column = self._fields[name], raw.columns[position]
            with self._explained(name, column):
                if field.kind == "identifier":
                    employees, accepted[name] = cells.identifiers(column)
                else:
                    parsed[name], accepted[name] = cells.parse(field, column, self._notations[name])
        good = np.logical_and.reduce(list(accepted.values()))
        rejected = len(good) - int(np.count_nonzero(good)) + len(raw.ragged)
        if not rejected:
            return Rows(raw.numbers, parsed, employees)
        return Rows(
            raw.numbers[good],
            {name: values[good] for name, values in parsed.items()},
            None if employees is None else employees.filter(pa.array(good)),
            self._rejects(raw, parsed, accepted, employees),
            rejected,
        )

    @contextmanager
    def _explained(self, name: str, column: Any) -> Iterator[None]:
        try:
            yield
        except pa.ArrowException as error:
            expected = file_sentences.text_or_numbers(column.type)
            raise ExtractError([self._problem(name, expected)]) from error

    def _problem(self, name: str, expected: str) -> Problem:
        return Problem(self._file, 1, self._spelling(name), None, expected)

    def _spelling(self, name: str) -> str:
        return self._reader.names[self._positions[name]]

    def _rejects(
        self, raw: RawRows, parsed: dict[str, Values], accepted: dict[str, Mask], employees: Any
    ) -> list[Reject]:
        width = len(self._reader.names)
        rejects = [
            Reject(self._file, number, None, None, None, file_sentences.values(width, length))
            for number, length in raw.ragged
        ]
        identifier = self._dictionary.identifier.name
        totals = self._totals(raw, accepted)
        for name, valid in accepted.items():
            column = raw.columns[self._positions[name]]
            for row in np.flatnonzero(~valid).tolist():
                if row in totals and name != identifier:
                    continue  # one reason is enough
                value = parsed[name][row] if name in parsed else column[row].as_py()
                text = _text(column[row]) or ""
                rejects.append(
                    Reject(
                        self._file,
                        int(raw.numbers[row]),
                        None if employees is None else _text(employees[row]),
                        self._spelling(name),
                        text,
                        cells.expected(self._fields[name], value, text),
                    )
                )
        return sorted(rejects, key=lambda reject: reject.place)

    def _totals(self, raw: RawRows, accepted: dict[str, Mask]) -> set[int]:
        """Return the rows of totals, which the id's column names."""
        name = self._dictionary.identifier.name
        if name not in accepted:
            return set()
        column = raw.columns[self._positions[name]]
        return {r for r in np.flatnonzero(~accepted[name]).tolist() if is_total(_text(column[r]) or "")}


def _text(cell: Any) -> str | None:
    value = cell.as_py()
    return None if value is None else str(value)[:SHOWN_LENGTH]
