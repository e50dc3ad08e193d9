"""What is wrong in the extracts, gathered over all of them before anything is raised or handed back."""

from collections.abc import Iterable
from itertools import islice

from churn.core.errors import ExtractError, Problem

LIMIT = 50


class Findings:
    """Every problem met so far: all are counted, enough are kept to list the first `LIMIT`.

    With `keep_all`, all are kept: for a reader that hands the problems of rows back. `notices` are no
    problems, but what the owner of the extracts should know about how they are read.
    """

    def __init__(self, *, keep_all: bool = False) -> None:
        self.total = 0
        self.notices: list[str] = []
        self._kept: list[Problem] = []
        self._keep_all = keep_all

    def add(self, problem: Problem) -> None:
        """Record one problem."""
        self.add_many([problem], count=1)

    def add_many(self, problems: Iterable[Problem], *, count: int) -> None:
        """Record `count` problems of one kind, given in the order of their lines.

        Only the first `LIMIT` are made: a million bad cells cost no more than fifty.
        """
        self.total += count
        self._kept += problems if self._keep_all else islice(problems, LIMIT)

    def raise_if_any(self) -> None:
        """Raise ExtractError if anything was found.

        What concerns a whole file or its header comes first, then rows by file and line.
        """
        if self.total:
            raise ExtractError(sorted(self._kept, key=_place)[:LIMIT], self.total)

    def of_rows(self) -> list[Problem]:
        """Return the problems of single rows, by file and line.

        Raises:
            ExtractError: a whole file or its header has a problem; all problems are listed.
        """
        problems = sorted(self._kept, key=_place)
        if problems and not _place(problems[0])[0]:
            self.raise_if_any()
        return problems


def _place(problem: Problem) -> tuple[bool, str, int]:
    line = problem.line or 0
    return line > 1, problem.file, line
