"""The model as served: one record, whole tables, and files, beside the pipeline it was compiled from.

python -m benchmarks.bench_model [--data DIR] [--short]

Trains on the extracts in DIR, or on the embedded sample, into a model store of its own. Each
measure runs in a fresh process; each file is scored by `churn score`, its start included.
The last line is one JSON object.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from churn.dictionary.technova import TECHNOVA

# (full, short)
TABLE_ROWS = (1_000_000, 20_000)
PARQUET_ROWS = (10_000_000, 200_000)
CSV_ROWS = (1_000_000, 50_000)
RECORDS, PIPELINE_RECORDS, RUNS = 5000, 200, 5
POOL = 100_000  # different employees, whose pay and commute are then varied

BARS = {
    "record_with_reasons_us": ("≤", 60.0),
    "frame_over_pipeline": ("≥", 15.0),
    "arrow_over_pipeline": ("≥", 15.0),
    "frame_memory_over_input": ("≤", 3.0),
    "arrow_memory_over_input": ("≤", 3.0),
    "parquet_rows_per_second": ("≥", 400_000.0),
    "parquet_peak_mb": ("≤", 1000.0),
    "csv_peak_mb": ("≤", 1000.0),
}


def main() -> None:
    """Train, measure, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the three extracts; by default, the sample")
    parser.add_argument("--short", action="store_true", help="few rows, to see that it runs")
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, rows = options.measure
        print(json.dumps(MEASURES[what](int(rows))))
    else:
        compare(options.data, short=options.short)


def compare(data: Path | None, *, short: bool) -> None:
    """Print every figure, with its bar where there is one."""
    from harness.trained import train  # noqa: PLC0415 - what is not measured is not to weigh on what is

    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(BENTOML_HOME=folder, CHURN_ENV_FILE=os.devnull)
        train(Path(folder), data)
        figures = measured("record", 0)
        for what in ("speed", "frame_memory", "arrow_memory"):
            figures |= measured(what, TABLE_ROWS[short])
        for suffix, rows in (("parquet", PARQUET_ROWS[short]), ("csv", CSV_ROWS[short])):
            figures |= measured(f"generate_{suffix}", rows)
            figures |= scored(Path(folder), suffix, rows)
    print(f"\n{'figure':<28}{'measured':>14}   bar")
    for name, figure in figures.items():
        sign, bar = BARS.get(name, ("", 0))
        print(f"{name:<28}{figure:>14,.2f}   " + f"{sign} {bar:,.0f}" * bool(sign))
    print("\n" + json.dumps({name: round(figure, 4) for name, figure in figures.items()}))


def measured(what: str, rows: int) -> dict[str, float]:
    """Return a measure's figures, taken in a process of its own."""
    output = subprocess.check_output([sys.executable, __file__, "--measure", what, str(rows)])
    figures: dict[str, float] = json.loads(output)
    return figures


def scored(folder: Path, suffix: str, rows: int) -> dict[str, float]:
    """Return how fast `churn score` scores a file into one of its kind, and its peak memory."""
    source, output = folder / f"in.{suffix}", folder / f"out.{suffix}"
    command = [sys.executable, "-m", "churn.cli.main", "score", str(source), "-o", str(output)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return {
        f"{suffix}_rows": rows,
        f"{suffix}_seconds": seconds,
        f"{suffix}_cpu_seconds": usage.ru_utime + usage.ru_stime,
        f"{suffix}_rows_per_second": rows / seconds,
        f"{suffix}_peak_mb": usage.ru_maxrss / unit,
    }


@dataclass(frozen=True)
class Models:
    """The stored model, as served and as scikit-learn fitted it."""

    served: Any
    pipeline: Any


def models() -> Models:
    """Load the newest model both ways."""
    import joblib  # noqa: PLC0415 - as above

    from churn.core import settings  # noqa: PLC0415 - as above
    from churn.model import registry  # noqa: PLC0415 - as above

    served = registry.load(settings.load().model, TECHNOVA)
    return Models(served, joblib.load(registry.find(served.tag).path_of(registry.PICKLE)))


@lru_cache(maxsize=1)
def pool(rows: int) -> Any:
    """Return different synthetic employees as the pipeline takes them, typed."""
    import pandas as pd  # noqa: PLC0415 - as in `models`

    from churn.model.sample import make_employees  # noqa: PLC0415 - as above

    dtypes = {
        f.name: float if f.numeric else pd.CategoricalDtype(list(f.categories)) for f in TECHNOVA.features
    }
    return make_employees(rows)[list(dtypes)].astype(dtypes)


def employees(rows: int, seed: int = 7) -> Any:
    """Return employees of the pool, often enough, with pay and commute of their own."""
    import numpy as np  # noqa: PLC0415 - as in `models`

    random = np.random.default_rng(seed)
    table = pool(POOL).sample(rows, replace=True, random_state=seed, ignore_index=True)
    for name in ("revenu_mensuel", "distance_domicile_travail"):
        table[name] = (table[name] * random.uniform(0.9, 1.1, rows)).round(2)
    return table


def record(_: int) -> dict[str, float]:
    """Measure one record with all its reasons, and the pipeline's one row without any."""
    from churn.model.pipeline import frame  # noqa: PLC0415 - as above
    from churn.model.sample import make_employees  # noqa: PLC0415 - as above
    from churn.model.scoring import Scorer  # noqa: PLC0415 - as above
    from churn.schemas.employee import Employee, request_models  # noqa: PLC0415 - as above

    loaded = models()
    rows = make_employees(RECORDS).drop(columns=TECHNOVA.target.name).astype(object).to_dict("records")
    kind = request_models(TECHNOVA).employee
    asked = [kind.model_validate(row) for row in rows]
    scorer = Scorer(loaded.served)

    def answer(employee: Employee) -> None:
        scorer.answer(scorer.score([employee])[0], "fr")

    tables = [frame([one.record()], loaded.served.fields) for one in asked[:PIPELINE_RECORDS]]
    return {
        "record_with_reasons_us": median_seconds(answer, asked) * 1e6,
        "record_by_pipeline_us": median_seconds(loaded.pipeline.predict_proba, tables) * 1e6,
    }


def median_seconds(work: Callable[[Any], object], inputs: list[Any]) -> float:
    """Return the median time of the work, over the inputs, after a first pass."""
    for one in inputs:
        work(one)
    return statistics.median(timed(work, one) for one in inputs)


def timed(work: Callable[[Any], object], one: Any) -> float:
    """Return how long the work takes."""
    start = time.perf_counter()
    work(one)
    return time.perf_counter() - start


def speed(rows: int) -> dict[str, float]:
    """Measure a table by columns, as a DataFrame and as an Arrow table, and by the pipeline."""
    import pyarrow as pa  # noqa: PLC0415 - as in `models`

    from churn.model.vectorized import ColumnScorecard  # noqa: PLC0415 - as above

    loaded, table = models(), employees(rows)
    card = ColumnScorecard(loaded.served.scorecard, TECHNOVA)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pipeline = timed(loaded.pipeline.predict_proba, table)
    frame, by_arrow = (
        statistics.median(timed(card.probabilities, t) for _ in range(RUNS)) for t in (table, arrow)
    )
    return {
        "table_rows": rows,
        "table_by_pipeline_seconds": pipeline,
        "frame_seconds": frame,
        "arrow_seconds": by_arrow,
        "frame_over_pipeline": pipeline / frame,
        "arrow_over_pipeline": pipeline / by_arrow,
    }


def frame_memory(rows: int) -> dict[str, float]:
    """Measure the memory that scoring a DataFrame takes, over that of the DataFrame."""
    table = employees(rows)
    return {"frame_memory_over_input": memory_of_scoring(table) / float(table.memory_usage(deep=True).sum())}


def arrow_memory(rows: int) -> dict[str, float]:
    """Measure the memory that scoring an Arrow table takes, over that of the table."""
    import pyarrow as pa  # noqa: PLC0415 - as in `models`

    table = pa.Table.from_pandas(employees(rows), preserve_index=False)
    return {"arrow_memory_over_input": memory_of_scoring(table) / table.nbytes}


def memory_of_scoring(table: Any) -> float:
    """Return the bytes by which scoring a table, the result included, raises this process's memory."""
    from churn.model.vectorized import ColumnScorecard  # noqa: PLC0415 - as in `models`

    card = ColumnScorecard(models().served.scorecard, TECHNOVA)
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not status.exists():  # only Linux lets a process forget its earlier peak
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        card.probabilities(table)
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

    def kilobytes(name: str) -> int:
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

    reset.write_text("5", encoding="utf-8")
    before = kilobytes("VmRSS")
    card.probabilities(table)
    return float(kilobytes("VmHWM") - before) * 1024


def generate_parquet(rows: int) -> dict[str, float]:
    """Write a Parquet file of employees beside the model store."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - as in `models`

    with pq.ParquetWriter(Path(os.environ["BENTOML_HOME"]) / "in.parquet", arrow_of(1, 0).schema) as file:
        for number, part in enumerate(parts(rows)):
            file.write_table(arrow_of(part, number * POOL))
    return {}


def generate_csv(rows: int) -> dict[str, float]:
    """Write a CSV file of employees beside the model store."""
    import pyarrow.csv as pc  # noqa: PLC0415 - as in `models`

    with pc.CSVWriter(Path(os.environ["BENTOML_HOME"]) / "in.csv", arrow_of(1, 0).schema) as file:
        for number, part in enumerate(parts(rows)):
            file.write_table(arrow_of(part, number * POOL))
    return {}


def parts(rows: int) -> Iterator[int]:
    """Return the sizes of the parts of a file."""
    yield from (min(POOL, rows - start) for start in range(0, rows, POOL))


def arrow_of(rows: int, first_id: int) -> Any:
    """Return some employees with ids as an Arrow table, their words as plain text."""
    import numpy as np  # noqa: PLC0415 - as in `models`
    import pyarrow as pa  # noqa: PLC0415 - as above

    table = employees(rows, seed=first_id)
    table = table.astype({field.name: object for field in TECHNOVA.features if not field.numeric})
    ids = np.arange(first_id + 1, first_id + rows + 1)
    return pa.Table.from_pandas(table.assign(employee_id=ids), preserve_index=False)


MEASURES: dict[str, Callable[[int], dict[str, float]]] = {
    work.__name__: work
    for work in (record, speed, frame_memory, arrow_memory, generate_parquet, generate_csv)
}


if __name__ == "__main__":
    main()
