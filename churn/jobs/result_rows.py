"""A page of a job's results, sorted and filtered where they are: one of many rows takes no time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from churn.jobs.result_csv import open_results

Sort = Literal["probability", "row", "employee_id"]

PAGE_ROWS: Final = 50
BINS: Final = 20  # of the distribution


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Some of the rows that were asked for, by column; `total` is how many there are on all pages."""

    rows: Sequence[Mapping[str, object]]
    total: int
    page: int
    pages: int


def distribution(folder: Path) -> tuple[list[int], float]:
    """Return how many scores are in each twentieth of 0 to 1, and the threshold."""
    counts = [0] * BINS
    with open_results(folder) as connection:
        query = (
            f"SELECT min({BINS - 1}, CAST(probability * {BINS} AS INTEGER)), count(*) FROM scores GROUP BY 1"  # noqa: S608
        )
        for at, count in connection.execute(query):
            counts[at] = count
        [threshold] = connection.execute("SELECT coalesce(max(threshold), 0) FROM scores").fetchone()
    return counts, float(threshold)


def rows(
    folder: Path,
    sort: Sort = "probability",
    *,
    descending: bool = True,
    above_threshold: bool = False,
    search: str = "",
    page: int = 1,
) -> RowsPage:
    """Return a page, the first being 1, of the scores in a job's folder of results.

    `above_threshold` leaves those out that are not flagged; `search` is a part of the employee's id. A page
    past the last one is the last.
    """
    order = "DESC" if descending else "ASC"
    conditions, values = [], []
    with open_results(folder) as connection:
        columns = {column[1] for column in connection.execute("PRAGMA table_info(scores)")}
        if above_threshold:
            conditions.append("probability >= (SELECT threshold FROM scores LIMIT 1)")
        if search and "employee_id" in columns:
            conditions.append("instr(lower(employee_id), lower(?))")
            values.append(search)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        [total] = connection.execute(f"SELECT count(*) FROM scores{where}", values).fetchone()  # noqa: S608
        pages = max(1, math.ceil(total / PAGE_ROWS))
        page = min(max(page, 1), pages)
        column = sort if sort in columns else "row"
        # The page is found in an index alone, and only its rows are looked up.
        sorting = f'ORDER BY "{column}" {order}, "row" {order}'
        found = f"SELECT rowid FROM scores{where} {sorting} LIMIT ? OFFSET ?"  # noqa: S608 - words of ours
        query = f"SELECT * FROM scores WHERE rowid IN ({found}) {sorting}"  # noqa: S608
        cursor = connection.execute(query, [*values, PAGE_ROWS, (page - 1) * PAGE_ROWS])
        names = [one[0] for one in cursor.description]
        return RowsPage([dict(zip(names, row, strict=True)) for row in cursor], total, page, pages)
