"""Read, check and join three CSV extracts: seconds, peak memory, the cost of checking.

python -m benchmarks.bench_extracts [--rows 1000000] [--short]

Each measure runs in a fresh process, three times (once with --short); the median is kept.
"plain" is pandas.read_csv of the three files and their merge, without any check.
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

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts

ROWS, SHORT_ROWS, RUNS = 1_000_000, 2_000, 3
ID_FORMAT: dict[str, str] = {"sirh": "{}", "eval": "E_{}", "sondage": "00000{}"}
UNKNOWN_SHARE = 0.01  # of the cells that may be empty
READERS = ("checked", "plain")


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
        measured = {reader: run(reader, folder, runs) for reader in READERS}
    print(f"\n{'reader':<10}{'seconds':>10}{'rows/s':>14}{'peak MB':>10}")
    for reader, (seconds, peak) in measured.items():
        print(f"{reader:<10}{seconds:>10.2f}{rows / seconds:>14,.0f}{peak:>10.0f}")
    checked, plain = measured["checked"], measured["plain"]
    figures = {
        "rows": rows,
        "seconds": round(checked[0], 3),
        "peak_rss_mb": round(checked[1]),
        "rows_per_second": round(rows / checked[0]),
        "seconds_over_plain_pandas": round(checked[0] / plain[0], 3),
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
