"""Read, check and join the three HR extracts into one table of employees.

Everything is checked before anything is raised: an ExtractError lists what is wrong in all three
files. The work is done by column, and once for each distinct text of a column, so that a million
employees take seconds.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from churn.core.errors import Problem
from churn.dictionary import domain
from churn.dictionary.domain import Extract, Mark
from churn.ingest import checked, sheet
from churn.ingest.checked import Checked
from churn.ingest.findings import Findings

FILE_STEM = "extrait_{extract}"
SUFFIXES = (".csv", ".parquet")


def read(
    directory: Path, *, thousands: Mark | None = None, tell: Callable[[str], object] = str
) -> pd.DataFrame:
    """Return one row for each employee, by ascending id, with the columns of `domain.FIELDS`.

    `employee_id` is int64, numbers are float64 (NaN where unknown; units as in the domain) and
    categories are categorical in the domain's order. `thousands` is the separator in columns whose
    cells do not tell; `tell` is called with what the files' owner should know of how they are read.
    Raises ExtractError with every problem of the three files.
    """
    findings = Findings()
    sheets = [sheet.read(path, extract, findings) for extract, path in _paths(directory, findings).items()]
    found = [checked.check(one, findings, thousands) for one in sheets if one is not None]
    checked.compare([one for one in found if domain.IDENTIFIER.name in one.values], findings)
    findings.raise_if_any()
    for notice in findings.notices:
        tell(notice)
    return checked.join(found)


@dataclass(frozen=True)
class Scorable:
    """The employees who can be scored, and what kept each other one out.

    `table` is as `read` returns, without the target; `rejects` are the problems of single rows by
    file and line, each with the employee's id where that is readable; `has_target` tells that the
    extracts held the target, which was not read; `notices` say how the rest was.
    """

    table: pd.DataFrame
    rejects: Sequence[tuple[Problem, int | None]]
    has_target: bool
    notices: Sequence[str]


def read_scorable(directory: Path, *, thousands: Mark | None = None) -> Scorable:
    """Read extracts of employees to score: no target is needed, and a bad row keeps nobody else out.

    `thousands` as in `read`.

    Raises:
        ExtractError: a file or a header has a problem; all problems are listed.
    """
    findings = Findings(keep_all=True)
    paths = _paths(directory, findings)
    dispensable = {domain.TARGET.name}
    sheets = [sheet.read(path, name, findings, dispensable=dispensable) for name, path in paths.items()]
    readable = [one for one in sheets if one is not None]
    has_target = [one.columns.pop(domain.TARGET.name, None) is not None for one in readable]
    found = [checked.check(one, findings, thousands) for one in readable]
    if len(found) < len(domain.EXTRACTS):
        findings.raise_if_any()
    findings.of_rows()
    checked.compare(found, findings, even_incomplete=True)
    by_file = {one.sheet.file: one for one in found}
    rejects = [(problem, _employee(by_file[problem.file], problem)) for problem in findings.of_rows()]
    table = checked.join(checked.flawless(found))
    return Scorable(table, rejects, any(has_target), findings.notices)


def _employee(one: Checked, problem: Problem) -> int | None:
    return None if problem.line is None else one.employee_on(problem.line)


def fingerprint(directory: Path, thousands: Mark | None = None) -> str:
    """Return "sha256:…" over the content of the three files; raises ExtractError where one is missing.

    `thousands` as in `read`: the same files read in another way are other data.
    """
    findings = Findings()
    paths = _paths(directory, findings)
    findings.raise_if_any()
    # A digest of digests: bytes that move from one file to the next do not go unseen.
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in paths.values()]
    return "sha256:" + hashlib.sha256(b"".join(digests) + (thousands or "").encode()).hexdigest()


def _paths(directory: Path, findings: Findings) -> dict[Extract, Path]:
    """Return the file of each extract, in the domain's order."""
    files = [path for path in directory.glob("*") if path.is_file()]
    paths = {}
    for extract in domain.EXTRACTS:
        stem = FILE_STEM.format(extract=extract)
        candidates = [stem + suffix for suffix in SUFFIXES]
        found = [path for path in files if path.name.lower() in candidates]
        if len(found) == 1:
            paths[extract] = found[0]
        else:
            names = " or ".join(candidates)
            count = " and ".join(sorted(p.name for p in found)) + " are" if found else "neither is"
            findings.add(Problem(stem, None, None, None, f"one file, {names}, in {directory}: {count} there"))
    return paths
