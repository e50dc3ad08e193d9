"""Pages of the history and looks at the drift, at ten million predictions on PostgreSQL.

python -m benchmarks.bench_history [--short]

A year of predictions in monthly partitions, one a request: three models, half a million employees, and
callers of whom one made nine in ten and another one in a hundred thousand. Each page is asked for anew,
as the service does. The last line is one JSON object.
"""

import argparse
import json
import random
import statistics
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.progress import track
from rich.table import Table
from sqlalchemy import Connection, Engine, text

from churn.database import schema
from churn.database.engine import opened
from churn.database.months import Month, bound
from churn.database.partitions import KEYS
from churn.model.reference import SCORE_BINS, FieldReference, Moments, Reference
from churn.monitoring.drift import examine
from churn.monitoring.window_reader import read_window
from churn.records.history import History
from churn.schemas.drift_report import Selection
from churn.schemas.history_query import HistoryQuery
from harness import postgres

# (full, short)
ROWS, PAGES = (10_000_000, 50_000), (100, 5)
MONTHS, EMPLOYEES = 12, 500_000
BAR = 50.0  # milliseconds: the p99 of a page
LOOK_BAR = 5.0  # seconds: a look at the drift over all months

FREQUENT, RARE, ABSENT = "portal", "audit", "nobody"
RARE_MODEL, FREQUENT_MODEL = "churn:c", "churn:a"

# Server-side: the n-th prediction of a month, evenly spread over it. A key is a UUIDv7 of its time, whose
# random part tells the request (0) from the prediction (1) a millisecond later. The multiplier spreads the
# last digits evenly.
SOURCE = """
CREATE UNLOGGED TABLE made AS
SELECT n, at,
    CAST(lpad(to_hex(ms), 12, '0') || '70008000' || lpad(to_hex(tail), 12, '0') AS uuid) AS request_id,
    CAST(lpad(to_hex(ms + 1), 12, '0') || '70008001' || lpad(to_hex(tail), 12, '0') AS uuid) AS id,
    CASE WHEN n % 100000 = 7 THEN 'audit' WHEN n % 10 < 9 THEN 'portal' ELSE 'batch' || n % 3 END AS caller,
    CASE WHEN n % 50000 = 11 THEN 'churn:c' WHEN n % 3 = 0 THEN 'churn:b' ELSE 'churn:a' END AS model,
    CAST(n * 7919 % 500000 AS text) AS employee_id, random() AS probability
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
CROSS JOIN LATERAL (SELECT CAST(:start + (n - :first) * :step AS bigint) AS ms) AS moment
CROSS JOIN LATERAL (SELECT n * 2654435761 % 281474976710656 AS tail) AS spread
CROSS JOIN LATERAL (SELECT to_timestamp(ms / 1000.0) AS at) AS told
"""
FILL = (
    "INSERT INTO requests (id, received_at, method, route, caller_kind, caller_name, model, salt)"
    " SELECT request_id, at, 'POST', '/predict', 'token', caller, model, md5(CAST(n AS text)) FROM made",
    "INSERT INTO employee_inputs (id, request_id, position, employee_id, record, salt)"
    " SELECT id, request_id, 0, employee_id, json_build_object('employee_id', employee_id, 'age', 40),"
    " md5(CAST(n AS text)) FROM made",
    'INSERT INTO features (id, base_value, "values", contributions)'
    " SELECT id, -1.5, json_build_object('age', 40), json_build_object('age', 0.25) FROM made",
    "INSERT INTO prediction_results (id, request_id, caller_name, model, prediction, probability, threshold)"
    " SELECT id, request_id, caller, model, CAST(probability >= 0.84 AS int), probability, 0.84 FROM made",
    "INSERT INTO api_responses (request_id, answered_at, status, duration_ms, body)"
    " SELECT request_id, at, 200, 5, json_build_object('probability', probability) FROM made",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """Of the pages of one kind: milliseconds, and how many predictions were on them."""

    p50_ms: float
    p99_ms: float
    predictions: int


def main() -> None:
    """Fill a database, ask for pages, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help=f"{ROWS[1]:,} rows, to see that it runs")
    short = parser.parse_args().short
    # Filling takes longer than a statement of the service may.
    with postgres.server() as server, postgres.database(server) as url:
        with opened(url, patient=True) as engine:
            schema.upgrade(engine)
            months = _past(MONTHS)
            seconds = _filled(engine, months, ROWS[short])
        with opened(url) as engine:
            figures = {
                name: _measured(engine, asked, PAGES[short])
                for name, asked in track(_kinds(months).items(), "Asking", console=Console(stderr=True))
            }
            seconds_of_a_look, read = _look(engine)
    _tell(figures, ROWS[short], seconds)
    verdict = "met" if seconds_of_a_look <= LOOK_BAR else "MISSED"
    print(f"a look at {read.predictions:,} predictions: {seconds_of_a_look:.1f} s, {verdict}")
    flat = {f"{name.replace(' ', '_')}_p99_ms": round(one.p99_ms, 2) for name, one in figures.items()}
    flat["look_s"] = round(seconds_of_a_look, 2)
    print(json.dumps({"rows": ROWS[short], "seconds_to_fill": round(seconds), **flat}))


def _past(number: int) -> list[Month]:
    """Return the months before this one, the oldest first."""
    now = Month.of(datetime.now(UTC))
    return Month(now.year - 1, now.month).through(number - 1)


def _filled(engine: Engine, months: list[Month], rows: int) -> float:
    """Fill the journal month by month, and return the seconds that took."""
    started = time.monotonic()
    each = rows // len(months)
    for position, month in enumerate(track(months, "Filling", console=Console(stderr=True))):
        with engine.begin() as connection:
            _make_partitions(connection, month)
            _fill(connection, month, position * each, each)
    with engine.begin() as connection:
        connection.execute(text(f"ANALYZE {', '.join(KEYS)}"))
    return time.monotonic() - started


def _make_partitions(connection: Connection, month: Month) -> None:
    for table in KEYS:
        name = month.partition(table)
        connection.exec_driver_sql(f"CREATE TABLE {name} PARTITION OF {table} {month.bounds}")


def _fill(connection: Connection, month: Month, first: int, number: int) -> None:
    start, end = (key.int >> 80 for key in (month.lower, month.upper))
    spread = {"first": first, "last": first + number - 1, "start": start, "step": (end - start - 2) / number}
    connection.execute(text(SOURCE), spread)
    for statement in FILL:
        connection.execute(text(statement))
    connection.execute(text("DROP TABLE made"))


def _kinds(months: list[Month]) -> dict[str, Callable[[], HistoryQuery]]:
    """Return what is asked for, by its name; each page from another place."""
    chance = random.Random(7)  # noqa: S311 - places in a year, not secrets
    start, end = (datetime(one.year, one.month, 1, tzinfo=UTC) for one in (months[0], months[-1].next))

    def moment() -> datetime:
        return start + (end - start) * chance.random()

    def key() -> uuid.UUID:
        return bound(moment())

    def day() -> HistoryQuery:
        since = moment()
        return HistoryQuery(since=since, until=since + timedelta(days=1))

    return {
        "newest": HistoryQuery,
        "deep page": lambda: HistoryQuery(before=key()),
        "user frequent": lambda: HistoryQuery(user=FREQUENT, before=key()),
        "user rare": lambda: HistoryQuery(user=RARE, before=key()),
        "user absent": lambda: HistoryQuery(user=ABSENT),
        "model rare": lambda: HistoryQuery(model=RARE_MODEL, before=key()),
        "prediction 1": lambda: HistoryQuery(prediction=1, before=key()),
        "a day in the past": day,
        "employee": lambda: HistoryQuery(employee_id=str(chance.randrange(EMPLOYEES))),
        "user rare and prediction 1": lambda: HistoryQuery(user=RARE, prediction=1),
        "details": lambda: HistoryQuery(before=key(), limit=200, details=True),
    }


def _measured(engine: Engine, asked: Callable[[], HistoryQuery], pages: int) -> Figure:
    History(engine).page(asked())  # the connection, and the catalogue's pages
    times, predictions = [], 0
    for _ in range(pages):
        query = asked()
        started = time.perf_counter()
        predictions += len(History(engine).page(query).predictions)
        times.append((time.perf_counter() - started) * 1000)
    return Figure(
        statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[-1], predictions
    )


def _look(engine: Engine) -> tuple[float, Selection]:
    """Return the seconds of a look at the predictions of one model over all months, and what it read."""
    age = FieldReference("age", (1_470, 0), Moments(0.25, 0.1), least=18, largest=65)
    reference = Reference(1_470, -1.5, Moments(-1.25, 1), (0,) * SCORE_BINS, 235, (age,))
    started = time.perf_counter()
    window, read = read_window(engine, reference, (None, None), model=FREQUENT_MODEL)
    examine(reference, window)
    return time.perf_counter() - started, read


def _tell(figures: Mapping[str, Figure], rows: int, seconds: float) -> None:
    table = Table(title=f"{rows:,} predictions, filled in {seconds:.0f} s")
    for heading in ("pages of", "predictions", "p50 ms", "p99 ms", f"≤ {BAR:.0f} ms"):
        table.add_column(heading, justify="left" if heading == "pages of" else "right")
    for name, one in figures.items():
        verdict = "met" if one.p99_ms <= BAR else "MISSED"
        table.add_row(name, f"{one.predictions:,}", f"{one.p50_ms:.1f}", f"{one.p99_ms:.1f}", verdict)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
