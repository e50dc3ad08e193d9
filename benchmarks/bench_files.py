"""Files of one table: workbooks, CSV and Parquet as read here and by their libraries, and outputs as written.

python -m benchmarks.bench_files [--rows 100000] [--short]

Each measure runs in a fresh process, five times (once with --short), all of them in turn; the median is
kept. "library" is python-calamine's own read of a sheet's cells, and pyarrow's of CSV and Parquet: without
any check. An output is written ten thousand rows at a time; its growth is the memory that ten times as many
rows take more.
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
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import xlsxwriter
from python_calamine import CalamineWorkbook

from benchmarks.bench_extracts import cells
from churn.batch import output
from churn.batch.layout import PLAIN
from churn.dictionary.technova import TECHNOVA
from churn.ingest.reader import open_reader

ROWS, SHORT_ROWS, RUNS = 100_000, 2_000, 5
SUFFIXES = ("xlsx", "csv", "parquet")
WRITTEN_AT_ONCE = 10_000
STATUS = Path("/proc/self/status")
BARS = {
    "xlsx_speed_over_library": ("≥", 0.5),
    "xlsx_memory_over_library": ("≤", 1.0),
    "xlsx_output_growth_mb": ("≤", 16.0),
    "csv_output_growth_mb": ("≤", 16.0),
    "parquet_output_growth_mb": ("≤", 16.0),
}


def main() -> None:
    """Write the files, measure, print tables and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--short", action="store_true", help=f"{SHORT_ROWS} rows, to see that it runs")
    parser.add_argument("--measure", nargs=3, metavar=("WHAT", "FILE", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, file, rows = options.measure
        print(json.dumps(measure(what, Path(file), int(rows))))
    else:
        compare(SHORT_ROWS, runs=1) if options.short else compare(options.rows, runs=RUNS)


def compare(rows: int, *, runs: int) -> None:
    """Print what reading and writing so many rows needs, beside the libraries' own reading."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), rows)
        places = [(what, suffix, rows) for suffix in SUFFIXES for what in ("churn", "library")]
        places += [("write", suffix, count) for suffix in SUFFIXES for count in (rows // 10, rows)]
        taken: dict[tuple[str, str, int], list[tuple[float, float]]] = defaultdict(list)
        for _ in range(runs):
            for what, suffix, count in places:
                taken[what, suffix, count].append(run(what, Path(folder) / f"file.{suffix}", count))
    medians = {
        place: tuple(statistics.median(column) for column in zip(*measures, strict=True))
        for place, measures in taken.items()
    }
    print(f"\n{'':<10}{'file':<10}{'rows':>10}{'seconds':>10}{'rows/s':>14}{'peak MB':>10}")
    for (what, suffix, count), (seconds, peak) in medians.items():
        print(f"{what:<10}{suffix:<10}{count:>10,}{seconds:>10.2f}{count / seconds:>14,.0f}{peak:>10.0f}")
    figures: dict[str, float] = {"rows": rows}
    for suffix in SUFFIXES:
        ours, library = medians["churn", suffix, rows], medians["library", suffix, rows]
        few, many = medians["write", suffix, rows // 10], medians["write", suffix, rows]
        figures |= {
            f"{suffix}_seconds": ours[0],
            f"{suffix}_peak_mb": ours[1],
            f"{suffix}_speed_over_library": library[0] / ours[0],
            f"{suffix}_memory_over_library": ours[1] / library[1],
            f"{suffix}_output_rows_per_second": rows / many[0],
            f"{suffix}_output_growth_mb": many[1] - few[1],
        }
    print(f"\n{'figure':<34}{'measured':>14}   bar")
    for name, figure in figures.items():
        sign, bar = BARS.get(name, ("", 0))
        print(f"{name:<34}{figure:>14,.2f}   " + f"{sign} {bar:,.1f}" * bool(sign))
    print("\n" + json.dumps({name: round(figure, 3) for name, figure in figures.items()}))


def run(what: str, file: Path, rows: int) -> tuple[float, float]:
    """Return the seconds and the peak MB of one measure, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bench_files", "--measure", what, str(file), str(rows)]
    found = json.loads(subprocess.check_output(command))
    return found["seconds"], found["peak_mb"]


def measure(what: str, file: Path, rows: int) -> dict[str, float]:
    """Return the seconds that one work takes, and this process's peak memory after it."""
    start = time.perf_counter()
    if what == "churn":
        for _ in open_reader(file, TECHNOVA).batches():
            pass
    elif what == "library":
        read_by_library(file)
    else:
        write_scores(file.with_name(f"scores{file.suffix}"), rows)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Return this process's peak memory; on Linux without what started it, which the usual way counts in."""
    if STATUS.exists():
        lines = STATUS.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def read_by_library(file: Path) -> None:
    """Read a file as a whole, as its library does."""
    if file.suffix == ".xlsx":
        CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    elif file.suffix == ".csv":
        pyarrow.csv.read_csv(file)
    else:
        pyarrow.parquet.read_table(file)


def write_scores(path: Path, rows: int) -> None:
    """Write scores, as a run does with what it has of each part of a file."""
    rng = np.random.default_rng(7)
    columns = output.schema(pa.int64(), journalled=True)
    with output.scores_file(path, path.suffix, columns, PLAIN) as file:
        for start in range(0, rows, WRITTEN_AT_ONCE):
            count = min(WRITTEN_AT_ONCE, rows - start)
            file.write([scores(kind, count, rng) for kind in columns.types])


def scores(kind: pa.DataType, count: int, rng: np.random.Generator) -> pa.Array:
    """Return random cells of an output's column."""
    if pa.types.is_floating(kind):
        return pa.array(rng.random(count))
    if pa.types.is_boolean(kind):
        return pa.array(rng.random(count) > 1 / 2)
    numbers = pa.array(rng.integers(0, 2, count))
    return numbers.cast(kind) if pa.types.is_integer(kind) else numbers.cast(pa.string()).cast(kind)


def generate(folder: Path, rows: int) -> None:
    """Write random employees as each kind of file."""
    rng = np.random.default_rng(7)
    texts = pd.DataFrame(
        {
            field.name: np.arange(rows).astype(str)
            if field.kind == "identifier"
            else cells(field, rows, rng).to_numpy()
            for field in TECHNOVA.inputs
        }
    )
    texts.to_csv(folder / "file.csv", index=False)
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(folder / "file.csv"), folder / "file.parquet")
    generate_workbook(folder / "file.xlsx", texts)
    for path in sorted(folder.iterdir()):
        print(f"wrote {path.name}: {rows:,} rows, {path.stat().st_size / 1e6:.1f} MB", flush=True)


def generate_workbook(path: Path, texts: pd.DataFrame) -> None:
    """Write a workbook: numbers as numbers, pay rises in the format of percentages."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet, percent = book.add_worksheet(), book.add_format({"num_format": "0%"})
        sheet.write_row(0, 0, texts.columns)
        kinds = [field.kind for field in TECHNOVA.inputs]
        for number, row in enumerate(texts.itertuples(index=False), 1):
            for place, (kind, text) in enumerate(zip(kinds, row, strict=True)):
                if kind == "percent" and text:
                    sheet.write_number(number, place, int(text.removesuffix(" %")) / 100, percent)
                elif kind == "category":
                    sheet.write_string(number, place, text)
                elif text:
                    sheet.write_number(number, place, float(text))


if __name__ == "__main__":
    main()
