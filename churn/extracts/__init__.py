"""Read, check and join the three HR extracts into one table of employees.

Everything is checked before anything is raised: an ExtractError lists what is wrong in all three
files. The work is done by column, and once for each distinct text of a column, so that a million
employees take seconds.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations, repeat
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.extensions import ExtensionArray

from churn import domain
from churn.domain import Extract, Field
from churn.errors import Problem
from churn.extracts import sheet, values
from churn.extracts.findings import Findings
from churn.extracts.sheet import Sheet
from churn.extracts.values import Mask, Values

FILE_STEM = "extrait_{extract}"
SUFFIXES = (".csv", ".parquet")


def read(directory: Path) -> pd.DataFrame:
    """Return one row for each employee, by ascending id, with the columns of `domain.FIELDS`.

    `employee_id` is int64, numbers are float64 (NaN where unknown; units as in the domain) and
    categories are categorical in the domain's order. Raises ExtractError with every problem of
    the three files.
    """
    findings = Findings()
    sheets = [sheet.read(path, extract, findings) for extract, path in _paths(directory, findings).items()]
    checked = [_check(found, findings) for found in sheets if found is not None]
    _compare([one for one in checked if domain.IDENTIFIER.name in one.values], findings)
    findings.raise_if_any()
    return _join(checked)


def fingerprint(directory: Path) -> str:
    """Return "sha256:…" over the content of the three files; raises ExtractError where one is missing."""
    findings = Findings()
    paths = _paths(directory, findings)
    findings.raise_if_any()
    # A digest of digests: bytes that move from one file to the next do not go unseen.
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in paths.values()]
    return "sha256:" + hashlib.sha256(b"".join(digests)).hexdigest()


@dataclass(frozen=True)
class _Checked:
    """An extract's values by row, and the rows whose id could be read."""

    sheet: Sheet
    values: dict[str, Values]
    identified: Mask

    @property
    def ids(self) -> Values:
        return self.values[domain.IDENTIFIER.name]

    @property
    def complete(self) -> bool:
        """Whether every employee of the file is known: only then can one be missing from it."""
        return self.sheet.whole and bool(self.identified.all())

    def report_ids(self, findings: Findings, rows: NDArray[np.intp], expected: Iterable[str]) -> None:
        self.sheet.report(findings, self.sheet.columns[domain.IDENTIFIER.name], rows, expected)


def _paths(directory: Path, findings: Findings) -> dict[Extract, Path]:
    """Return the file of each extract, in the domain's order."""
    paths = {}
    for extract in domain.EXTRACTS:
        stem = FILE_STEM.format(extract=extract)
        candidates = [directory / (stem + suffix) for suffix in SUFFIXES]
        found = [path for path in candidates if path.is_file()]
        if len(found) == 1:
            paths[extract] = found[0]
        else:
            names = " or ".join(path.name for path in candidates)
            count = "both are there" if found else "neither is there"
            findings.add(Problem(stem, None, None, None, f"one file, {names}, in {directory}: {count}"))
    return paths


def _check(found: Sheet, findings: Findings) -> _Checked:
    """Parse every cell of one extract, and report those that its field refuses."""
    rows: dict[str, Values] = {}
    identified = np.zeros(0, dtype=bool)
    for name, column in found.columns.items():
        field = domain.BY_NAME[name]
        parsed, accepted = values.parse(
            field, column.texts, extract=found.extract, decimal_comma=found.decimal_comma
        )
        valid = accepted[column.codes]
        expected = values.expected(field, found.extract)
        found.report(findings, column, np.flatnonzero(~valid), repeat(expected))
        rows[name] = parsed[column.codes]
        if field is domain.IDENTIFIER:
            identified = valid
    return _Checked(found, rows, identified)


def _compare(extracts: Sequence[_Checked], findings: Findings) -> None:
    """Report each employee that an extract holds twice, or that another extract lacks."""
    for one in extracts:
        _report_repeated(one, findings)
    for here, there in permutations(extracts, 2):
        if there.complete:
            absent = here.identified & ~np.isin(here.ids, there.ids)
            expected = f"an employee whom {there.sheet.file} holds too"
            here.report_ids(findings, np.flatnonzero(absent), repeat(expected))


def _report_repeated(one: _Checked, findings: Findings) -> None:
    rows = np.flatnonzero(one.identified)
    ids = one.ids[rows]

    def first_line(row: np.intp) -> int:
        return one.sheet.lines[int(rows[np.argmax(ids == one.ids[row])])]

    repeated = rows[pd.Index(ids).duplicated()]
    one.report_ids(
        findings, repeated, (f"each employee once; line {first_line(row)} has this one" for row in repeated)
    )


def _join(extracts: Sequence[_Checked]) -> pd.DataFrame:
    """Put the extracts, which hold the same employees, side by side."""
    rows: dict[str, Values] = {}
    for one in extracts:
        order = np.argsort(one.ids, kind="stable")
        rows |= {name: unordered[order] for name, unordered in one.values.items()}
    return pd.DataFrame({field.name: _column(field, rows[field.name]) for field in domain.FIELDS}, copy=False)


def _column(field: Field, rows: Values) -> Values | ExtensionArray:
    if field.kind != "category":
        return rows
    return pd.Categorical.from_codes(rows, dtype=pd.CategoricalDtype(list(field.categories)))
