"""One extract checked, held against the others, and joined with them by employee."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import permutations, repeat

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from churn.core.errors import Problem
from churn.dictionary import domain
from churn.dictionary.domain import Field, Mark
from churn.ingest import cells
from churn.ingest.cells import Mask, Values
from churn.ingest.findings import Findings
from churn.ingest.notation import Evidence, is_told_by_cells
from churn.ingest.sheet import Column, Sheet


@dataclass(frozen=True)
class Checked:
    """An extract's values by row, the rows whose id could be read, and those that hold nothing refused."""

    sheet: Sheet
    values: dict[str, Values]
    identified: Mask
    sound: Mask

    @property
    def ids(self) -> Values:
        """Each row's employee; of no meaning where that could not be read."""
        return self.values[domain.IDENTIFIER.name]

    @property
    def complete(self) -> bool:
        """Whether every employee of the file is known: only then can one be missing from it."""
        return self.sheet.whole and bool(self.identified.all())

    def report_ids(self, findings: Findings, rows: NDArray[np.intp], expected: Iterable[str]) -> None:
        """Add a problem with the id of each of these rows."""
        self.sheet.report(findings, self.sheet.columns[domain.IDENTIFIER.name], rows, expected)

    def employee_on(self, line: int) -> int | None:
        """Return the id on a line of the file; None where it could not be read."""
        lines = self.sheet.lines
        row = int(np.searchsorted(lines, line))
        known = row < len(lines) and lines[row] == line and self.identified[row]
        return int(self.ids[row]) if known else None


def check(sheet: Sheet, findings: Findings, told: Mark | None = None) -> Checked:
    """Parse every cell of one extract, and report those that its field refuses.

    `told` is the thousands separator where the cells of a column do not tell.
    """
    values: dict[str, Values] = {}
    masks: dict[str, Mask] = {}
    for name, column in sheet.columns.items():
        field = domain.BY_NAME[name]
        try:
            values[name], masks[name] = _parse(sheet, field, column, findings, told)
        except pa.ArrowException:
            expected = f"a column of text or numbers, not {column.cells.type}"
            findings.add(Problem(sheet.file, 1, column.spelling, None, expected))
            continue
        refused = np.flatnonzero(~masks[name])
        texts = (cells.expected(field, value, sheet.extract) for value in values[name][refused])
        sheet.report(findings, column, refused, texts)
    identified = masks.get(domain.IDENTIFIER.name, np.zeros(0, dtype=bool))
    return Checked(sheet, values, identified, np.logical_and.reduce(list(masks.values())))


def _parse(
    sheet: Sheet, field: Field, column: Column, findings: Findings, told: Mark | None
) -> tuple[Values, Mask]:
    if field is domain.IDENTIFIER:
        return cells.employee_numbers(column.cells, sheet.extract)
    evidence = Evidence(field, decimal_comma=sheet.decimal_comma, told=told)
    if is_told_by_cells(field, column.cells.type):
        evidence.add(column.cells)
    if evidence.problem:
        findings.add(Problem(sheet.file, 1, column.spelling, None, evidence.problem))
    elif notice := evidence.notice():
        findings.notices.append(f"{sheet.file}: {notice}")
    return cells.parse(field, column.cells, evidence.notation())


def compare(extracts: Sequence[Checked], findings: Findings, *, even_incomplete: bool = False) -> None:
    """Report each employee that an extract holds twice, or that another extract lacks.

    An extract with rows that could not be read may hold whom it seems to lack, and is not held to
    that, unless `even_incomplete`.
    """
    for one in extracts:
        _report_repeated(one, findings)
    for here, there in permutations(extracts, 2):
        if there.complete or even_incomplete:
            absent = here.identified & ~np.isin(here.ids, there.ids[there.identified])
            expected = f"an employee whom {there.sheet.file} holds too"
            here.report_ids(findings, np.flatnonzero(absent), repeat(expected))


def _report_repeated(one: Checked, findings: Findings) -> None:
    rows = np.flatnonzero(one.identified)
    ids = one.ids[rows]

    def first_line(row: np.intp) -> int:
        return int(one.sheet.lines[rows[np.argmax(ids == one.ids[row])]])

    repeated = rows[pd.Index(ids).duplicated()]
    one.report_ids(
        findings, repeated, (f"each employee once; line {first_line(row)} has this one" for row in repeated)
    )


def flawless(extracts: Sequence[Checked]) -> list[Checked]:
    """Return the extracts with only the employees whom each of them holds once, with nothing refused."""
    rows = [np.flatnonzero(one.identified & one.sound & ~_repeated(one)) for one in extracts]
    ids = reduce(np.intersect1d, (one.ids[kept] for one, kept in zip(extracts, rows, strict=True)))
    kept = [chosen[np.isin(one.ids[chosen], ids)] for one, chosen in zip(extracts, rows, strict=True)]
    return [
        replace(one, values={name: cells[chosen] for name, cells in one.values.items()})
        for one, chosen in zip(extracts, kept, strict=True)
    ]


def _repeated(one: Checked) -> Mask:
    """Return the rows, the first one included, of each employee who has several."""
    ids = np.where(one.identified, one.ids, -1)
    return np.asarray(pd.Index(ids).duplicated(keep=False))


def join(extracts: Sequence[Checked]) -> pd.DataFrame:
    """Put the extracts, which hold the same employees, side by side; a row each, by ascending id."""
    rows: dict[str, Values] = {}
    for one in extracts:
        order = np.argsort(one.ids, kind="stable")
        rows |= {name: unordered[order] for name, unordered in one.values.items()}
    names = [field.name for field in domain.FIELDS if field.name in rows]
    return pd.DataFrame({name: column(domain.BY_NAME[name], rows[name]) for name in names}, copy=False)


def column(field: Field, rows: Values) -> Values | ExtensionArray:
    """Return parsed values as a table's column: categories as categorical, in the domain's order."""
    if field.kind != "category":
        return rows
    return pd.Categorical.from_codes(rows, dtype=pd.CategoricalDtype(list(field.categories)))
