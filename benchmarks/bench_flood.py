"""A flood of wrong passwords, and large batches: what they do to others.

python -m benchmarks.bench_flood [--data DIR] [--short]

One worker on SQLite. Measured quiet and beside each: the latency of `/predict` by a token and of `/livez`,
one call at a time, and how long the first sign-ins of new users take, each from another address; of large
batches also the memory of all the server's processes, and what is left of it some seconds later. The last
line is one JSON object.
"""

import json
import secrets
import socket
import statistics
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.crowd import batches, beside, guesses
from benchmarks.serving import CHURN, SQLITE, Servers, Target, parser_of
from churn.access.users import add_user
from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from harness.identities import basic

# (full, short)
SECONDS, ROUNDS = (6.0, 1.5), (3, 1)
SIGN_INS = 3  # a round
ROWS, SENDERS = 10_000, 2  # of a batch, at once

QUIET, ONE, MANY, BATCHES = "quiet", "30 connections", "100 addresses", "large batches"
PLACES = {QUIET: "quiet", ONE: "one_address", MANY: "many_addresses", BATCHES: "batches"}
FLOODS: Mapping[str, tuple[int, int]] = {ONE: (30, 1), MANY: (100, 100)}
SIGN_IN = 3.0  # seconds at most, beside a flood
LATER, KEPT = 15.0, 1.2  # seconds after large batches, and at most so many times the quiet memory
P99: Mapping[str, float] = {ONE: 2.0, MANY: 2.0, BATCHES: 3.0}  # at most so many times the quiet one


@dataclass(frozen=True, slots=True)
class Figure:
    """Latencies in milliseconds, and the slowest first sign-in in seconds."""

    p50_ms: float
    p99_ms: float
    livez_p99_ms: float
    sign_in_s: float


def main() -> None:
    """Start a server, measure it quiet and crowded in turn, print a table and the figures."""
    options = parser_of(__doc__).parse_args()
    with ExitStack() as stack:
        servers = Servers(stack, options.data)
        database = servers.database(SQLITE)
        target = servers.start(CHURN, "/predict", database)
        found: dict[str, list[Figure]] = {name: [] for name in PLACES}
        target.measure(CHURN, 1, 1.0)
        quiet = target.memory()
        for _ in range(ROUNDS[options.short]):
            users = _users(database, SIGN_INS * len(found))
            for name, rounds in found.items():
                mine = [users.pop() for _ in range(SIGN_INS)]
                with _crowded(target, name):
                    rounds.append(_measured(target, mine, SECONDS[options.short]))
        memory = {"quiet_mb": quiet, **_memory(target, SECONDS[options.short])}
    figures = {name: _median(measured) for name, measured in found.items()}
    _tell(figures, memory)
    print(json.dumps({**_flat(figures), **memory}))


def _crowded(target: Target, name: str) -> AbstractContextManager[None]:
    if name in FLOODS:
        return beside(guesses, target.url, *FLOODS[name])
    if name == BATCHES:
        batch = target.to("POST", "/predict_batch", [TECHNOVA.example] * ROWS)
        return beside(batches, batch.url, batch.message, SENDERS)
    return nullcontext()


def _memory(target: Target, seconds: float) -> dict[str, int]:
    """Return the server's MB at their most beside large batches, and some seconds after them."""
    peak = 0
    with _crowded(target, BATCHES):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            peak = max(peak, target.memory())
            time.sleep(0.05)
    time.sleep(LATER)
    return {"peak_mb": peak, "after_mb": target.memory()}


def _users(database: str, count: int) -> list[str]:
    """Return the credentials of some new users."""
    made = [(f"user-{secrets.token_hex(4)}", secrets.token_hex(8)) for _ in range(count)]
    with opened(database) as engine, engine.begin() as connection:
        for name, password in made:
            add_user(connection, name, password)
    return [basic(name, password) for name, password in made]


def _measured(target: Target, users: list[str], seconds: float) -> Figure:
    done = target.measure(CHURN, 1, seconds)
    alive = target.to("GET", "/livez", {}).measure(CHURN, 1, seconds)
    slowest = max(_sign_in(target.url, number, user) for number, user in enumerate(users))
    return Figure(
        done.percentile(0.5) * 1000, done.percentile(0.99) * 1000, alive.percentile(0.99) * 1000, slowest
    )


def _sign_in(url: str, number: int, authorization: str) -> float:
    """Return the seconds of a call by somebody new."""
    parts = urlsplit(url)
    source = (f"127.0.3.{1 + number}", 0)
    begun = time.perf_counter()
    with socket.create_connection((str(parts.hostname), parts.port), source_address=source) as connection:
        head = f"GET /model HTTP/1.1\r\nHost: h\r\nAuthorization: {authorization}\r\n\r\n"
        connection.sendall(head.encode())
        status = int(connection.recv(1 << 16)[9:12])
    if status != 200:
        raise SystemExit(f"a first sign-in was answered {status}")
    return time.perf_counter() - begun


def _median(rounds: list[Figure]) -> Figure:
    return Figure(
        statistics.median(one.p50_ms for one in rounds),
        statistics.median(one.p99_ms for one in rounds),
        statistics.median(one.livez_p99_ms for one in rounds),
        max(one.sign_in_s for one in rounds),
    )


def _flat(figures: Mapping[str, Figure]) -> dict[str, float]:
    """Return every figure and ratio by a name of its own."""
    flat: dict[str, float] = {}
    quiet = figures[QUIET]
    for name, figure in figures.items():
        place = PLACES[name]
        flat[f"{place}_p50_ms"] = round(figure.p50_ms, 2)
        flat[f"{place}_p99_ms"] = round(figure.p99_ms, 2)
        flat[f"{place}_livez_p99_ms"] = round(figure.livez_p99_ms, 2)
        flat[f"{place}_sign_in_s"] = round(figure.sign_in_s, 2)
        flat[f"{place}_p99_over_quiet"] = round(figure.p99_ms / quiet.p99_ms, 2)
        flat[f"{place}_livez_p99_over_quiet"] = round(figure.livez_p99_ms / quiet.livez_p99_ms, 2)
    return flat


def _tell(figures: Mapping[str, Figure], memory: Mapping[str, int]) -> None:
    table = Table(title="One worker; ratios to the quiet server")
    for heading in ("", "p50 ms", "p99 ms", "ratio", "/livez p99 ms", "ratio", "sign-in s", "bar"):
        table.add_column(heading, justify="left" if not heading else "right")
    quiet = figures[QUIET]
    for name, figure in figures.items():
        ratio, alive = figure.p99_ms / quiet.p99_ms, figure.livez_p99_ms / quiet.livez_p99_ms
        bar = ""
        if name in P99:
            is_flood = name in FLOODS
            worst = ratio if is_flood else max(ratio, alive)
            is_met = worst <= P99[name] and not (is_flood and figure.sign_in_s > SIGN_IN)
            other = f", ≤ {SIGN_IN:.0f} s" if is_flood else " both"
            bar = f"≤ {P99[name]:.0f}{other} {'met' if is_met else 'MISSED'}"
        row = (f"{figure.p50_ms:.1f}", f"{figure.p99_ms:.1f}", f"{ratio:.1f}", f"{figure.livez_p99_ms:.1f}")
        table.add_row(name, *row, f"{alive:.1f}", f"{figure.sign_in_s:.2f}", bar)
    Console(width=110).print(table)
    bar = "met" if memory["after_mb"] <= KEPT * memory["quiet_mb"] else "MISSED"
    print(
        f"Memory: {memory['quiet_mb']} MB quiet, {memory['peak_mb']} MB at most beside large batches, "
        f"{memory['after_mb']} MB {LATER:.0f} s later (bar: ≤ {KEPT} × quiet, {bar})"
    )


if __name__ == "__main__":
    main()
