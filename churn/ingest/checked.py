"""One extract checked, held against the others, and joined with them by employee."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import permutations, repeat

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from churn.core.errors import Problem
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.dictionary.usual_words import is_total
from churn.i18n import file_sentences
from churn.ingest import cells
from churn.ingest.cells import Mask, Values
from churn.ingest.findings import Findings
from churn.ingest.mark import Mark
from churn.ingest.notation import Evidence, depends_on_cells
from churn.ingest.sheet import Column, Sheet


@dataclass(frozen=True)
class Checked:
    """An extract's values by row, the rows whose id could be read, and those that hold nothing refused.

    `identifier` is the name of the field that says who an employee is; `ids` are its values, which have no
    meaning where they could not be read.
    """

    sheet: Sheet
    identifier: str
    values: dict[str, Values]
    identified: Mask
    sound: Mask

    @property
    def ids(self) -> Values:
        """Each row's employee."""
        return self.values[self.identifier]

    @property
    def complete(self) -> bool:
        """Whether every employee of the file is known: only then can one be missing from it."""
        return self.sheet.whole and bool(self.identified.all())

    def report_ids(self, findings: Findings, rows: NDArray[np.intp], expected: Iterable[str]) -> None:
        """Add a problem with the id of each of these rows."""
        self.sheet.report(findings, self.sheet.columns[self.identifier], rows, expected)

    def employee_on(self, line: int) -> int | None:
        """Return the id on a line of the file; None where it could not be read."""
        lines = self.sheet.lines
        row = int(np.searchsorted(lines, line))
        known = row < len(lines) and lines[row] == line and self.identified[row]
        return int(self.ids[row]) if known else None


def check(sheet: Sheet, identifier: str, findings: Findings, thousands: Mark | None = None) -> Checked:
    """Parse every cell of one extract, and report those that its field refuses.

    `thousands` is the separator where the cells of a column do not show which it is.
    """
    values: dict[str, Values] = {}
    accepted: dict[str, Mask] = {}
    for name, column in sheet.columns.items():
        try:
            values[name], accepted[name] = _parse(sheet, column, findings, thousands)
        except pa.ArrowException:
            expected = file_sentences.text_or_numbers(column.cells.type)
            findings.add(Problem(sheet.file, 1, column.spelling, None, expected))
            continue
        refused = np.flatnonzero(~accepted[name])
        texts = (
            _expected(sheet, column.field, value, column.shown(row))
            for row, value in zip(refused, values[name][refused], strict=True)
        )
        sheet.report(findings, column, refused, texts)
    identified = accepted.get(identifier, np.zeros(0, dtype=bool))
    return Checked(sheet, identifier, values, identified, np.logical_and.reduce(list(accepted.values())))


def _parse(sheet: Sheet, column: Column, findings: Findings, thousands: Mark | None) -> tuple[Values, Mask]:
    if column.field.kind == "identifier":
        return cells.employee_numbers(column.cells, sheet.extract)
    evidence = Evidence(column.field, decimal_comma=sheet.decimal_comma, thousands=thousands)
    if depends_on_cells(column.field, column.cells.type):
        evidence.add(column.cells)
    if evidence.problem:
        findings.add(Problem(sheet.file, 1, column.spelling, None, evidence.problem))
    elif notice := evidence.notice():
        findings.notices.append(file_sentences.in_file(sheet.file, notice))
    return cells.parse(column.field, column.cells, evidence.notation())


def _expected(sheet: Sheet, field: Field, value: object, text: str) -> str:
    if field.kind == "identifier":
        if is_total(text):
            return file_sentences.NO_TOTALS
        return f"{sheet.extract.id_form}, of at most {cells.MOST_DIGITS} digits"
    return cells.expected(field, value, text)


def compare(extracts: Sequence[Checked], findings: Findings, *, even_incomplete: bool = False) -> None:
    """Report each employee that an extract holds twice, or that another extract lacks.

    An extract with rows that could not be read may hold whom it seems to lack, and is not held to
    that, unless `even_incomplete`.
    """
    for extract in extracts:
        _report_repeated(extract, findings)
    for here, there in permutations(extracts, 2):
        if there.complete or even_incomplete:
            absent = here.identified & ~np.isin(here.ids, there.ids[there.identified])
            expected = file_sentences.held_too(there.sheet.file)
            here.report_ids(findings, np.flatnonzero(absent), repeat(expected))


def _report_repeated(extract: Checked, findings: Findings) -> None:
    rows = np.flatnonzero(extract.identified)
    ids = extract.ids[rows]

    def first_line(row: np.intp) -> int:
        return int(extract.sheet.lines[rows[np.argmax(ids == extract.ids[row])]])

    repeated = rows[_occurrences(ids) > 0]
    extract.report_ids(findings, repeated, (file_sentences.held_once(first_line(row)) for row in repeated))


def flawless(extracts: Sequence[Checked]) -> list[Checked]:
    """Return the extracts with only the employees whom each of them holds once, with nothing refused."""
    rows = [np.flatnonzero(e.identified & e.sound & ~_repeated(e)) for e in extracts]
    ids = reduce(np.intersect1d, (e.ids[sound] for e, sound in zip(extracts, rows, strict=True)))
    kept = [sound[np.isin(e.ids[sound], ids)] for e, sound in zip(extracts, rows, strict=True)]
    return [
        replace(e, values={name: values[rows] for name, values in e.values.items()})
        for e, rows in zip(extracts, kept, strict=True)
    ]


def _repeated(extract: Checked) -> Mask:
    """Return the rows, the first one included, of each employee who has several."""
    ids = np.where(extract.identified, extract.ids, -1)
    _, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] > 1)


def _occurrences(ids: Values) -> NDArray[np.intp]:
    """Return how often each id has come before."""
    order = np.argsort(ids, kind="stable")
    _, starts, counts = np.unique(ids[order], return_index=True, return_counts=True)
    before = np.empty(len(ids), dtype=np.intp)
    before[order] = np.arange(len(ids)) - np.repeat(starts, counts)
    return before


def join(extracts: Sequence[Checked], dictionary: Dictionary) -> dict[str, Values]:
    """Put the extracts, which hold the same employees, side by side: columns by name, by ascending id."""
    rows: dict[str, Values] = {}
    for extract in extracts:
        order = np.argsort(extract.ids, kind="stable")
        rows |= {name: values[order] for name, values in extract.values.items()}
    return {field.name: rows[field.name] for field in dictionary.fields if field.name in rows}
