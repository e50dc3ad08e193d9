"""A file of outcomes: who has left, and when; who was still there, and until when that is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from churn.core.errors import ExtractError, Problem
from churn.core.language import Bilingual
from churn.dictionary.field import ISO_DATE, Field
from churn.dictionary.folding import fold_name
from churn.ingest.days import day_of, formats_of
from churn.ingest.raw_column import RawColumn, RawTable, read
from churn.schemas.outcome import Outcome, OutcomeProblem

MOST_ROWS = 10_000_000
ID_NAMES = ("employee_id", "id_employee", "matricule", "employee", "id")
LEFT_NAMES = (
    *("left_on", "leaving_date", "date_left", "termination_date", "exit_date", "end_date"),
    *("date_de_depart", "date_depart", "parti_le", "date_de_sortie", "date_sortie", "date_de_fin"),
)
KNOWN_NAMES = ("known_until", "as_of", "connu_jusqu_au", "connu_au", "date_extraction", "date_d_extraction")
STILL_HERE = frozenset(
    ("still here", "here", "active", "present", "présent", "présente", "en poste", "actif")
)


@dataclass(frozen=True, slots=True)
class OutcomeFile:
    """What a file holds: outcomes by their rows, what could not be read, and how it was read, in one line."""

    outcomes: Sequence[tuple[int, Outcome]]
    problems: Sequence[OutcomeProblem]
    understood: Bilingual


def read_outcomes(
    path: Path, identifier: Field, known_until: date | None, date_format: str | None
) -> OutcomeFile:
    """Return the outcomes of a file; `known_until` is the day of those whose row names none.

    Raises:
        ExtractError: it cannot be read, lacks a column, or its days can be read in several ways.
    """
    table = read(path, MOST_ROWS)
    ids = _column(table, (*identifier.spellings, *ID_NAMES))
    left = _column(table, LEFT_NAMES)
    known = _column(table, KNOWN_NAMES)
    if ids is None:
        raise _refused(path, None, f"a column of employees' ids, such as {ID_NAMES[0]}")
    if left is None:
        raise _refused(path, None, f"a column of the days on which people left, such as {LEFT_NAMES[0]}")
    if known is None and known_until is None:
        expected = f"until when this is known: a column {KNOWN_NAMES[0]}, or the option --known-until"
        raise _refused(path, None, expected)
    form = date_format or _format(path, [left, *([] if known is None else [known])])
    until = [known_until] * table.rows if known is None else [_day(text, form) for text in known.values]
    outcomes: list[tuple[int, Outcome]] = []
    problems: list[OutcomeProblem] = []
    rows = zip(ids.values, left.values, until, strict=True)
    for row, (employee, written, day) in enumerate(rows, start=2):
        left_on, day = _day(written, form), day or known_until
        if not employee:
            problems.append(OutcomeProblem(row, "no_id"))
        elif day is None or (left_on is None and not _is_still_here(written)):
            problems.append(OutcomeProblem(row, "no_day"))
        else:
            outcomes.append((row, Outcome(employee, left_on, day)))
    return OutcomeFile(outcomes, problems, table.understood)


def _column(table: RawTable, names: Sequence[str]) -> RawColumn | None:
    """Return the column that has one of some names, the earlier ones first."""
    by_name = {fold_name(column.name): column for column in table.columns}
    return next((by_name[key] for key in map(fold_name, names) if key in by_name), None)


def _is_still_here(text: str) -> bool:
    return not text or text.strip().lower() in STILL_HERE


def _day(text: str, form: str) -> date | None:
    return day_of(text, form) or day_of(text, ISO_DATE)


def _format(path: Path, columns: Sequence[RawColumn]) -> str:
    """Return the format by which the days of all columns are read.

    Raises:
        ExtractError: several formats would do, and read other days.
    """
    texts = {text for column in columns for text in column.counts if not _is_still_here(text)}
    # Spreadsheets store days as such, and those need no format.
    written = {text for text in texts if day_of(text, ISO_DATE) is None}
    forms = formats_of(sorted(written))
    if written and len(forms) > 1:
        expected = (
            f"days of one reading, not {' and '.join(forms)}: say which, as in --date-format '{forms[0]}'"
        )
        raise _refused(path, columns[0].name, expected)
    return forms[0] if written and forms else ISO_DATE


def _refused(path: Path, column: str | None, expected: str) -> ExtractError:
    return ExtractError([Problem(path.name, None, column, None, expected)])
