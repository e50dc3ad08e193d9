"""Read, check and join the HR extracts of a company into one table of employees.

Everything is checked before anything is raised: an ExtractError lists what is wrong in all the
files. The work is done by column, and once for each distinct text of a column, so that a million
employees take seconds.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from churn.core.errors import Problem
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.extract_names import is_named
from churn.i18n import file_sentences
from churn.ingest import checked, sheet
from churn.ingest.cells import Values
from churn.ingest.checked import Checked
from churn.ingest.findings import Findings
from churn.ingest.mark import Mark
from churn.ingest.reader import KINDS, understood
from churn.ingest.sheet import Sheet
from churn.schemas.file_reading import FileReading

if TYPE_CHECKING:
    import pandas as pd


def read(
    directory: Path,
    dictionary: Dictionary,
    *,
    thousands: Mark | None = None,
    tell: Callable[[str], object] = str,
) -> "pd.DataFrame":
    """Return one row for each employee, by ascending id, with the fields of the dictionary as columns.

    The identifier is int64, numbers are float64 (NaN where unknown; units as in the dictionary) and
    categories are categorical in the dictionary's order. `thousands` is the separator in columns whose
    cells do not show which it is; `tell` is called with what the files' owner should know about how they are
    read.

    Raises:
        ExtractError: there is a problem; those of all files are listed.
    """
    # Imported here: who scores extracts does without pandas.
    from churn.ingest.data_frames import data_frame  # noqa: PLC0415

    findings = Findings()
    sheets = _read(directory, dictionary, findings)
    for one in sheets:
        tell(understood(one.reading))
    extracts = [checked.check(sheet, dictionary.identifier.name, findings, thousands) for sheet in sheets]
    checked.compare([e for e in extracts if e.identifier in e.values], findings)
    findings.raise_if_any()
    for notice in findings.notices:
        tell(notice)
    return data_frame(checked.join(extracts, dictionary), dictionary)


@dataclass(frozen=True)
class Scorable:
    """The employees who can be scored, and what kept each other one out.

    `columns` are by field, without the target, by ascending id; `rejects` are the problems of single rows by
    file and line, each with the employee's id where that is readable; `has_target` tells that the
    extracts held the target, which was not read; `notices` and `readings` say how the rest was.
    """

    columns: Mapping[str, Values]
    rejects: Sequence[tuple[Problem, int | None]]
    has_target: bool
    notices: Sequence[str]
    readings: Sequence[FileReading]


def read_scorable(directory: Path, dictionary: Dictionary, *, thousands: Mark | None = None) -> Scorable:
    """Read extracts of employees to score: no target is needed, and a bad row keeps nobody else out.

    `thousands` as in `read`.

    Raises:
        ExtractError: a file or a header has a problem; all problems are listed.
    """
    findings = Findings(keep_all=True)
    sheets = _read(directory, dictionary, findings, dispensable={dictionary.target.name})
    has_target = [sheet.columns.pop(dictionary.target.name, None) is not None for sheet in sheets]
    extracts = [checked.check(sheet, dictionary.identifier.name, findings, thousands) for sheet in sheets]
    if len(extracts) < len(dictionary.extracts):
        findings.raise_if_any()
    findings.of_rows()
    checked.compare(extracts, findings, even_incomplete=True)
    by_file = {extract.sheet.file: extract for extract in extracts}
    rejects = [(problem, _employee(by_file[problem.file], problem)) for problem in findings.of_rows()]
    columns = checked.join(checked.flawless(extracts), dictionary)
    readings = [sheet.reading for sheet in sheets]
    return Scorable(columns, rejects, any(has_target), findings.notices, readings)


def _employee(extract: Checked, problem: Problem) -> int | None:
    return None if problem.line is None else extract.employee_on(problem.line)


def _read(
    directory: Path, dictionary: Dictionary, findings: Findings, dispensable: Collection[str] = ()
) -> list[Sheet]:
    """Return the extracts that can be read."""
    paths = _paths(directory, dictionary, findings)
    sheets = (
        sheet.read(paths[extract.name], dictionary, extract, findings, dispensable=dispensable)
        for extract in dictionary.extracts
        if extract.name in paths
    )
    return [readable for readable in sheets if readable is not None]


def fingerprint(directory: Path, dictionary: Dictionary, thousands: Mark | None = None) -> str:
    """Return "sha256:…" over the content of the extracts; raises ExtractError where one is missing.

    `thousands` as in `read`: the same files read in another way are other data.
    """
    findings = Findings()
    paths = _paths(directory, dictionary, findings)
    findings.raise_if_any()
    # A digest of digests: bytes that move from one file to the next do not go unseen.
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in paths.values()]
    return "sha256:" + hashlib.sha256(b"".join(digests) + (thousands or "").encode()).hexdigest()


def files_of(directory: Path, dictionary: Dictionary) -> list[Path]:
    """Return the files of the extracts that are there."""
    return list(_paths(directory, dictionary, Findings()).values())


def _paths(directory: Path, dictionary: Dictionary, findings: Findings) -> dict[str, Path]:
    """Return the file of each extract by its name, in the dictionary's order."""
    files = [path for path in directory.glob("*") if path.is_file()]
    paths = {}
    for extract in dictionary.extracts:
        candidates = [extract.file + suffix for suffix in KINDS]
        present = [path for path in files if path.name.lower() in candidates]
        present = present or [
            path for path in files if path.suffix.lower() in KINDS and is_named(path.stem, extract.file)
        ]
        if len(present) == 1:
            paths[extract.name] = present[0]
        else:
            expected = file_sentences.one_file(candidates, directory, sorted(p.name for p in present))
            findings.add(Problem(extract.file, None, None, None, expected))
    return paths
