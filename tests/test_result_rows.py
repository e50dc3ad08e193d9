"""Pages of a job's results: what is sorted, filtered and searched, and in an index alone, from many rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from churn.batch import output
from churn.jobs import result_files, result_rows
from churn.jobs.result_csv import open_results
from churn.jobs.result_rows import PAGE_ROWS, rows

MANY = 100_000
STEPS = 10_000  # of SQLite's machine, at a time
MOST = 200  # times as many: to look at each row of an index, and not at the rows themselves


def scores(count: int) -> pd.DataFrame:
    """Return made-up scores."""
    chance = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "employee_id": [f"E-{number:06d}" for number in chance.permutation(count)],
            "row": np.arange(1, count + 1),
            "probability": chance.random(count).round(4),
        }
    )


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write scores as a run does, and what is made of them; without a workbook, which takes long."""
    schema = output.schema(pa.string(), journalled=True)
    filled = {
        **{name: [""] * len(table) for name in schema.names},
        **{name: table[name] for name in table.columns},
        "prediction": (table["probability"] >= 0.7).astype("int8"),
        "threshold": [0.7] * len(table),
        "journalled": [True] * len(table),
    }
    columns = [pa.array(filled[field.name]).cast(field.type) for field in schema]
    pyarrow.parquet.write_table(pa.table(columns, schema=schema), folder / result_files.SCORES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(result_files, "_write_workbook", lambda *_: None)
        result_files.write(folder, str)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return scores(MANY)


@pytest.fixture(scope="module")
def folder(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    write(folder, table)
    return folder


@contextmanager
def bounded_results(folder: Path) -> Iterator[sqlite3.Connection]:
    """Yield results that answer no question in too many steps; how long one takes is the machine's affair."""
    steps = 0

    def count() -> bool:
        nonlocal steps
        steps += 1
        return steps > MOST

    with open_results(folder) as connection:
        connection.set_progress_handler(count, STEPS)
        yield connection


@pytest.fixture(autouse=True)
def _bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_rows, "open_results", bounded_results)


def ids(page: result_rows.RowsPage) -> list[object]:
    return [row["employee_id"] for row in page.rows]


@pytest.mark.parametrize("sort", ["probability", "row", "employee_id"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("page", [1, 3, 1000, MANY // PAGE_ROWS])
def test_any_page_in_any_order(
    folder: Path, table: pd.DataFrame, sort: result_rows.Sort, descending: bool, page: int
) -> None:
    found = rows(folder, sort, descending=descending, page=page)
    ordered = table.sort_values([sort, "row"], ascending=not descending)
    assert ids(found) == ordered["employee_id"].iloc[(page - 1) * PAGE_ROWS : page * PAGE_ROWS].tolist()
    assert (found.total, found.page, found.pages) == (MANY, page, MANY // PAGE_ROWS)
    assert set(found.rows[0]) >= {"band", "reason_1", "prediction_id", "threshold"}


@pytest.mark.parametrize("search", ["", "99", "e-0001", "%", "_", "' OR 1=1 --"])
@pytest.mark.parametrize("above_threshold", [True, False])
def test_filters(folder: Path, table: pd.DataFrame, search: str, above_threshold: bool) -> None:
    found = rows(folder, search=search, above_threshold=above_threshold)
    kept = table[table["employee_id"].str.lower().str.contains(search.lower(), regex=False)]
    if above_threshold:
        kept = kept[kept["probability"] >= 0.7]
    ordered = kept.sort_values(["probability", "row"], ascending=False)
    assert ids(found) == ordered["employee_id"].head(PAGE_ROWS).tolist()
    assert found.total == len(kept)


def test_a_page_past_the_end_is_the_last_and_there_is_always_one(folder: Path, tmp_path: Path) -> None:
    assert rows(folder, page=10**9).page == MANY // PAGE_ROWS
    assert rows(folder, page=-1).page == 1
    assert rows(folder, search="nobody") == result_rows.RowsPage([], 0, 1, 1)


def test_a_question_that_looks_at_every_row_would_fail(folder: Path) -> None:
    with bounded_results(folder) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute(
            "SELECT max(a.prediction_id || b.prediction_id) FROM scores a, scores b"
        ).fetchone()
    with closing(sqlite3.connect(folder / "results.db")) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT rowid FROM scores ORDER BY probability DESC, row DESC LIMIT 50"
        ).fetchall()
    assert "USING COVERING INDEX by_probability" in str(plan)
