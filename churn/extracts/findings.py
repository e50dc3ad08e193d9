"""What is wrong in the extracts, gathered over all three before anything is raised."""

from collections.abc import Iterable
from itertools import islice

from churn.errors import ExtractError, Problem

LIMIT = 50


class Findings:
    """Every problem met so far: all are counted, enough are kept to list the first `LIMIT`."""

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Record one problem."""
        self.add_many([problem], count=1)

    def add_many(self, problems: Iterable[Problem], *, count: int) -> None:
        """Record `count` problems of one kind, given in the order of their lines.

        Only the first `LIMIT` are made: a million bad cells cost no more than fifty.
        """
        self.total += count
        self._kept += islice(problems, LIMIT)

    def raise_if_any(self) -> None:
        """Raise ExtractError if anything was found.

        What concerns a whole file or its header comes first, then rows by file and line.
        """
        if not self.total:
            return

        def place(problem: Problem) -> tuple[bool, str, int]:
            line = problem.line or 0
            return line > 1, problem.file, line

        raise ExtractError(sorted(self._kept, key=place)[:LIMIT], self.total)
