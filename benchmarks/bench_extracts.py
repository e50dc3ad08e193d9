"""Read, check and join three CSV extracts, and read a workbook: seconds, peak memory, the cost of checking.

python -m benchmarks.bench_extracts [--rows 1000000] [--short]

Each measure runs in a fresh process, three times (once with --short); the median is kept.
"plain" is pandas.read_csv of the three files and their merge, without any check. The workbook has a tenth of
the rows; "calamine" is python-calamine's own reading of its cells, without any check.
The last line is one JSON object.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import xlsxwriter
from python_calamine import CalamineWorkbook

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.ingest.reader import open_reader

ROWS, SHORT_ROWS, RUNS = 1_000_000, 2_000, 3
ID_FORMAT: dict[str, str] = {"sirh": "{}", "eval": "E_{}", "sondage": "00000{}"}
UNKNOWN_SHARE = 0.01  # of the cells that may be empty
WORKBOOK = "employees.xlsx"
READERS = {"checked": False, "plain": False, "workbook": True, "calamine": True}  # whether of the workbook


def main() -> None:
    """Generate the files, measure both readers, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--short", action="store_true", help=f"{SHORT_ROWS} rows, to see that it runs")
    parser.add_argument("--measure", nargs=2, metavar=("READER", "DIRECTORY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        reader, directory = options.measure
        print(json.dumps(measure(reader, Path(directory))))
    else:
        compare(SHORT_ROWS, runs=1) if options.short else compare(options.rows, runs=RUNS)


def compare(rows: int, *, runs: int) -> None:
    """Print what `extracts.read` and the plain reader need for the same files."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), rows)
        in_workbook = max(rows // 10, SHORT_ROWS)
        generate_workbook(Path(folder) / WORKBOOK, in_workbook)
        measured = {reader: run(reader, folder, runs) for reader in READERS}
    print(f"\n{'reader':<10}{'seconds':>10}{'rows/s':>14}{'peak MB':>10}")
    for reader, (seconds, peak) in measured.items():
        count = in_workbook if READERS[reader] else rows
        print(f"{reader:<10}{seconds:>10.2f}{count / seconds:>14,.0f}{peak:>10.0f}")
    checked, plain = measured["checked"], measured["plain"]
    figures = {
        "rows": rows,
        "seconds": round(checked[0], 3),
        "peak_rss_mb": round(checked[1]),
        "rows_per_second": round(rows / checked[0]),
        "seconds_over_plain_pandas": round(checked[0] / plain[0], 3),
        "workbook_rows": in_workbook,
        "workbook_seconds": round(measured["workbook"][0], 3),
        "workbook_peak_rss_mb": round(measured["workbook"][1]),
        "workbook_speed_over_calamine": round(measured["calamine"][0] / measured["workbook"][0], 3),
    }
    print("\n" + json.dumps(figures))


def run(reader: str, folder: str, runs: int) -> tuple[float, float]:
    """Return the median seconds and peak MB of a reader, each run in a process of its own."""
    command = [sys.executable, __file__, "--measure", reader, folder]
    measures = [json.loads(subprocess.check_output(command)) for _ in range(runs)]
    seconds, peak = (statistics.median(m[key] for m in measures) for key in ("seconds", "peak_rss_mb"))
    return seconds, peak


def measure(reader: str, directory: Path) -> dict[str, float]:
    """Return the seconds that one reading takes, and this process's peak memory after it."""
    start = time.perf_counter()
    if reader == "checked":
        extracts.read(directory, TECHNOVA)
    elif reader == "workbook":
        open_reader(directory / WORKBOOK, TECHNOVA)  # reads all of its cells
    elif reader == "calamine":
        CalamineWorkbook.from_path(directory / WORKBOOK).get_sheet_by_index(0).to_python()
    else:
        read_plainly(directory)
    seconds = time.perf_counter() - start
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {"seconds": seconds, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def read_plainly(directory: Path) -> pd.DataFrame:
    """Read and merge the files as a notebook would."""
    tables = []
    for extract in TECHNOVA.extracts:
        table = pd.read_csv(directory / f"{extract.file}.csv")
        ids = table.pop(extract.id_column).astype(str).str.removeprefix("E_").astype("int64")
        tables.append(table.assign(employee_id=ids))
    return reduce(lambda left, right: left.merge(right, on="employee_id", validate="1:1"), tables)


def generate(directory: Path, rows: int) -> None:
    """Write three valid extracts of random employees, each in an order of its own."""
    rng = np.random.default_rng(7)
    for extract in TECHNOVA.extracts:
        path = directory / f"{extract.file}.csv"
        ids = pd.Series(rng.permutation(rows) + 1).astype(str)
        columns = {extract.id_column: ID_FORMAT[extract.name].removesuffix("{}") + ids}
        for field in TECHNOVA.fields:
            if field.extract == extract.name and field is not TECHNOVA.identifier:
                columns[field.name] = cells(field, rows, rng)
        columns |= {name: pd.Series(["1"] * rows) for name in extract.constant_columns}
        pyarrow.csv.write_csv(pa.table(columns), path)
        print(f"wrote {path.name}: {rows:,} rows, {path.stat().st_size / 1e6:.1f} MB", flush=True)


def generate_workbook(path: Path, rows: int) -> None:
    """Write a workbook of random employees: numbers as numbers, pay rises in the format of percentages."""
    rng = np.random.default_rng(7)
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet, percent = book.add_worksheet(), book.add_format({"num_format": "0%"})
        sheet.write_row(0, 0, [field.name for field in TECHNOVA.inputs])
        columns = [
            (field, np.arange(rows).astype(str) if field.kind == "identifier" else cells(field, rows, rng))
            for field in TECHNOVA.inputs
        ]
        for row in range(rows):
            for place, (field, column) in enumerate(columns):
                text = column[row]
                if field.kind == "percent" and text:
                    sheet.write_number(row + 1, place, int(text.removesuffix(" %")) / 100, percent)
                elif field.kind == "category":
                    sheet.write_string(row + 1, place, text)
                elif text:
                    sheet.write_number(row + 1, place, float(text))
    print(f"wrote {path.name}: {rows:,} rows, {path.stat().st_size / 1e6:.1f} MB", flush=True)


def cells(field: Field, rows: int, rng: np.random.Generator) -> pd.Series:
    """Return a random valid cell of the field for each row, as text."""
    if field.kind == "category":
        texts = pd.Series(rng.choice(np.array(field.categories, dtype=object), rows), dtype="str")
    elif field.kind == "number":
        texts = pd.Series(rng.integers(1_000, 20_000, rows) / 10).astype("str")
    else:
        low, high = field.minimum or 0, field.maximum or 40
        texts = pd.Series(rng.integers(int(low), int(high) + 1, rows)).astype("str")
    if field.kind == "percent":
        texts = texts + " %"
    if field.role in ("optional", "protected"):
        texts = texts.mask(rng.random(rows) < UNKNOWN_SHARE, "")
    return texts


if __name__ == "__main__":
    main()
