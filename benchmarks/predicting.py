"""Predictions a second beside an empty endpoint of BentoML's, and the share of a call that is the disk's."""

import os
import statistics
import tempfile
import time
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from benchmarks.serving import EMPTY, POSTGRESQL, SQLITE, Servers
from benchmarks.throughput import Figure, Place, measure

# (full, short)
SECONDS, ROUNDS, SYNCS = (3.0, 0.3), (6, 1), (2000, 20)

# At least so many times the answers of the empty endpoint, with so many clients.
BARS: dict[Place, float] = {(SQLITE, 1): 0.8, (POSTGRESQL, 1): 0.7, (SQLITE, 64): 2.2, (POSTGRESQL, 64): 2.2}
PAGE = 4096  # bytes


def main(*, short: bool) -> dict[str, float]:
    """Measure, print a table, and return every figure by a name of its own."""
    with ExitStack() as stack:
        servers = Servers(stack, None)
        targets = {EMPTY: servers.empty(), **{kind: servers.churn(kind) for kind in (SQLITE, POSTGRESQL)}}
        places = [(name, clients) for clients in (1, 64) for name in targets]
        seconds = dict.fromkeys(targets, SECONDS[short])
        figures = measure(targets, places, rounds=ROUNDS[short], seconds=seconds)
    sync = _sync(SYNCS[short])
    _tell(figures, sync)
    ratios = {
        f"{name.lower()}_{clients}_over_empty": round(_over_empty(figures, (name, clients)), 3)
        for name, clients in BARS
    }
    return {**ratios, "sync_ms": round(sync, 3)}


def _over_empty(figures: dict[Place, Figure], place: Place) -> float:
    return figures[place].per_second / figures[EMPTY, place[1]].per_second


def _sync(times: int) -> float:
    """Return the milliseconds for which a commit waits: until one more page of a file is on the disk."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            file.write(bytes(PAGE))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def _tell(figures: dict[Place, Figure], sync: float) -> None:
    table = Table(title="Predictions a second, and answers of an empty endpoint")
    for heading in ("", "clients", "ours", "empty", "ratio", "bar", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for place, bar in BARS.items():
        name, clients = place
        ratio = _over_empty(figures, place)
        ours, empty = figures[place].per_second, figures[EMPTY, clients].per_second
        verdict = (f"{ratio:.2f}", f"≥ {bar}", "met" if ratio >= bar else "MISSED")
        table.add_row(name, str(clients), f"{ours:,.0f}", f"{empty:,.0f}", *verdict)
    console = Console(width=110)
    console.print(table)
    empty = figures[EMPTY, 1].p50_ms
    for name in (SQLITE, POSTGRESQL):
        call = figures[name, 1].p50_ms
        console.print(
            f"{name}, one client: a call takes {call:.2f} ms; the disk's sync alone {sync:.2f} ms, an empty "
            f"endpoint {empty:.2f} ms, and what is ours {call - sync - empty:.2f} ms"
        )
