"""The service beside an empty endpoint, and beside the usual design: throughput and latency.

python -m benchmarks.bench_serve [--data DIR] [--short]

One worker each. All servers run at once and are measured in turn, a few seconds at a time, so that a
machine whose speed drifts does so for all of them; the figures are medians of the rounds. `/predict` is
measured with authentication, validation, scoring, reasons and a durable journal (the database's own
fsync is on). The usual design is one session a request, one commit a table, pandas and pipeline.
The last line is one JSON object.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from benchmarks.serving import CLIENTS, EMPTY, POSTGRESQL, SQLITE, Servers, Target, parser_of
from benchmarks.throughput import Figure, Place, measure

# (full, short)
SECONDS, ROUNDS = (3.0, 0.5), (6, 1)

USUAL = "usual design"
# The least share of the empty endpoint's throughput, and the most times its p99, at 16 and 64 clients.
THROUGHPUT = {POSTGRESQL: 0.65, SQLITE: 0.55}
P99, OVER_USUAL = 2.5, 60.0


def main() -> None:
    """Start the servers, measure them in turn, print a table and the figures."""
    options = parser_of(__doc__).parse_args()
    with ExitStack() as stack:
        targets = _targets(Servers(stack, options.data))
        figures = _measured(targets, short=options.short)
    _tell(figures)
    print(json.dumps(_flat(figures)))


def _targets(servers: Servers) -> dict[str, Target]:
    return {
        EMPTY: servers.empty(),
        POSTGRESQL: servers.churn(POSTGRESQL),
        SQLITE: servers.churn(SQLITE),
        USUAL: servers.start("benchmarks.usual_design:Usual", "/predict", servers.database(POSTGRESQL)),
    }


def _measured(targets: Mapping[str, Target], *, short: bool) -> dict[Place, Figure]:
    """Return what each target did, for each number of clients."""
    places = [(name, clients) for clients in CLIENTS for name in targets if name != USUAL or clients > 1]
    # The usual design answers seldom.
    seconds = {name: SECONDS[short] * (2.0 if name == USUAL else 1.0) for name in targets}
    return measure(targets, places, rounds=ROUNDS[short], seconds=seconds)


def _flat(figures: Mapping[Place, Figure]) -> dict[str, float]:
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


def _over_usual(figures: Mapping[Place, Figure], name: str, clients: int) -> float:
    return figures[name, clients].per_second / figures[USUAL, clients].per_second


def _tell(figures: Mapping[Place, Figure]) -> None:
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
