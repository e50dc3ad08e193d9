"""The service beside an empty endpoint, and beside the usual design: throughput and latency.

python -m benchmarks.bench_serve [--data DIR] [--short]

One worker each. All servers run at once and are measured in turn, a few seconds at a time, so that a
machine whose speed drifts does so for all of them; the figures are medians of the rounds. `/predict` is
measured with authentication, validation, scoring, reasons and a durable journal (the database's own
fsync is on). The usual design is one session a request, one commit a table, pandas and pipeline.
The last line is one JSON object.
"""

import json
import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import load
from benchmarks.serving import CLIENTS, POSTGRESQL, SQLITE, Servers, Target, parser_of

# (full, short)
SECONDS, ROUNDS = (3.0, 0.5), (6, 1)

EMPTY, USUAL = "empty endpoint", "usual design"
# The least share of the empty endpoint's throughput, and the most times its p99, at 16 and 64 clients.
THROUGHPUT = {POSTGRESQL: 0.65, SQLITE: 0.55}
P99, OVER_USUAL = 2.5, 60.0


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians over the rounds: answers a second, and latencies in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Start the servers, measure them in turn, print a table and the figures."""
    options = parser_of(__doc__).parse_args()
    with ExitStack() as stack:
        targets = _targets(Servers(stack, options.data))
        loads = _measured(targets, short=options.short)
    figures = {place: _median(found) for place, found in loads.items()}
    _tell(figures)
    print(json.dumps(_flat(figures)))


def _targets(servers: Servers) -> dict[str, Target]:
    sqlite, postgresql = servers.database(SQLITE), servers.database(POSTGRESQL)
    return {
        EMPTY: servers.start("benchmarks.empty_endpoint:Empty", "/empty", sqlite, {}),
        POSTGRESQL: servers.churn(POSTGRESQL),
        SQLITE: servers.churn(SQLITE),
        USUAL: servers.start("benchmarks.usual_design:Usual", "/predict", postgresql),
    }


def _measured(targets: Mapping[str, Target], *, short: bool) -> dict[tuple[str, int], list[load.Load]]:
    """Return what each target did in each round, for each number of clients."""
    seconds, rounds = SECONDS[short], ROUNDS[short]
    turns = [
        (name, clients)
        for number in range(rounds)  # each measures all: a machine that slows down does so for all
        for clients in CLIENTS
        # There and back: what one leaves for the disk to do falls to another each time.
        for name in list(targets)[:: 1 if number % 2 else -1]
        if name != USUAL or clients > 1
    ]
    found: dict[tuple[str, int], list[load.Load]] = {}
    with Progress(console=Console(stderr=True)) as progress:
        for name, clients in progress.track(turns, description="Measuring"):
            longer = 2.0 if name == USUAL else 1.0  # it answers seldom
            done = targets[name].measure(name, clients, longer * seconds)
            found.setdefault((name, clients), []).append(done)
    return found


def _median(loads: list[load.Load]) -> Figure:
    return Figure(
        statistics.median(one.per_second for one in loads),
        statistics.median(one.percentile(0.5) for one in loads) * 1000,
        statistics.median(one.percentile(0.99) for one in loads) * 1000,
    )


def _flat(figures: Mapping[tuple[str, int], Figure]) -> dict[str, float]:
    """Return every figure and ratio by a name of its own."""
    flat: dict[str, float] = {}
    for (name, clients), figure in figures.items():
        place = f"{name.lower().replace(' ', '_')}_{clients}"
        flat[f"{place}_per_second"] = round(figure.per_second, 1)
        flat[f"{place}_p50_ms"] = round(figure.p50_ms, 2)
        flat[f"{place}_p99_ms"] = round(figure.p99_ms, 2)
        if name in THROUGHPUT:
            empty = figures[EMPTY, clients]
            flat[f"{place}_throughput_over_empty"] = round(figure.per_second / empty.per_second, 3)
            flat[f"{place}_p99_over_empty"] = round(figure.p99_ms / empty.p99_ms, 3)
    for name, clients in _beside_usual():
        flat[f"{name.lower()}_{clients}_over_usual"] = round(_over_usual(figures, name, clients), 1)
    return flat


def _beside_usual() -> list[tuple[str, int]]:
    return [(name, clients) for name in THROUGHPUT for clients in CLIENTS if clients > 1]


def _over_usual(figures: Mapping[tuple[str, int], Figure], name: str, clients: int) -> float:
    return figures[name, clients].per_second / figures[USUAL, clients].per_second


def _tell(figures: Mapping[tuple[str, int], Figure]) -> None:
    table = Table(title="One worker; ratios to the empty endpoint")
    for heading in ("", "clients", "a second", "p50 ms", "p99 ms", "throughput", "p99", "bar"):
        table.add_column(heading, justify="left" if not heading else "right")
    for (name, clients), figure in figures.items():
        ratios = ["", "", ""]
        if name in THROUGHPUT:
            empty = figures[EMPTY, clients]
            speed, wait = figure.per_second / empty.per_second, figure.p99_ms / empty.p99_ms
            ratios = [f"{speed:.2f}", f"{wait:.2f}", ""]
            if clients > 1:
                good = speed >= THROUGHPUT[name] and wait <= P99
                ratios[2] = f"≥ {THROUGHPUT[name]}, ≤ {P99} {'met' if good else 'MISSED'}"
        row = (f"{figure.per_second:,.0f}", f"{figure.p50_ms:.1f}", f"{figure.p99_ms:.1f}")
        table.add_row(name, str(clients), *row, *ratios)
    console = Console(width=110)
    console.print(table)
    for name, clients in _beside_usual():
        times = _over_usual(figures, name, clients)
        verdict = "met" if times >= OVER_USUAL else "MISSED"
        compared = f"{times:.0f} times the usual design (bar: {OVER_USUAL:.0f}, {verdict})"
        console.print(f"{name}, {clients} clients: {compared}")


if __name__ == "__main__":
    main()
