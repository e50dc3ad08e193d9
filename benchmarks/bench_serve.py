"""The service beside an empty endpoint, and beside the usual design: throughput and latency.

python -m benchmarks.bench_serve [--data DIR] [--beside CHECKOUT] [--short]

One worker each. All servers run at once and are measured in turn, a few seconds at a time, so that a
machine whose speed drifts does so for all of them; the figures are medians of the rounds. `/predict` is
measured with authentication, validation, scoring, reasons and a durable journal (the database's own
fsync is on). The usual design is one session a request, one commit a table, pandas and pipeline.
With `--beside`, another checkout of this project, installed, is measured too, and compared round by round.
The last line is one JSON object.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import load
from churn.schemas import EXAMPLE
from tests import postgres
from tests.servers import PROJECT, bentoml_serve, environment

TOKEN = secrets.token_urlsafe(32)
CLIENTS = (1, 16, 64)
CHURN = "service:Churn"
# (full, short)
SECONDS, ROUNDS = (3.0, 0.5), (6, 1)

EMPTY, POSTGRESQL, SQLITE, USUAL = "empty endpoint", "PostgreSQL", "SQLite", "usual design"
OTHER = {POSTGRESQL: "PostgreSQL, other", SQLITE: "SQLite, other"}  # of the other checkout
# The least share of the empty endpoint's throughput, and the most times its p99, at 16 and 64 clients.
THROUGHPUT = {POSTGRESQL: 0.65, SQLITE: 0.55}
P99, OVER_USUAL = 2.5, 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is up, and what is sent to it."""

    url: str
    message: bytes


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians over the rounds: answers a second, and latencies in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Start the servers, measure them in turn, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the three extracts; by default, the sample")
    parser.add_argument("--short", action="store_true", help="briefly, to see that it runs")
    parser.add_argument("--beside", type=Path, help="another checkout, installed, to compare with")
    options = parser.parse_args()
    with ExitStack() as stack:
        targets = _targets(stack, options.data, options.beside)
        loads = _measured(targets, short=options.short)
    figures = {place: _median(found) for place, found in loads.items()}
    beside = _beside(loads)
    _tell(figures, beside)
    print(json.dumps({**_flat(figures), **beside}))


def _targets(stack: ExitStack, data: Path | None, beside: Path | None) -> dict[str, Target]:
    """Start the servers on databases of their own."""
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    given = ["--data", str(data)] if data else []
    base = environment(BENTOML_HOME=str(home), CHURN_ENV_FILE=os.devnull, API_TOKEN=TOKEN)
    setup = [sys.executable, "-m", "churn.cli.main", "setup", *given]
    subprocess.run(setup, env=base, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    server = stack.enter_context(postgres.server(durable=True))
    databases = [stack.enter_context(postgres.database(server)) for _ in range(3)]

    def serve(target: str, database: str, checkout: Path = PROJECT) -> str:
        # Each with a home of its own for metrics and spool, and the same model store behind it.
        own = stack.enter_context(_home(home))
        env = {**base, "BENTOML_HOME": own, "DATABASE_URL": database}
        python = sys.executable if checkout == PROJECT else str(checkout.absolute() / ".venv/bin/python")
        if target == CHURN:
            upgrade = [python, "-m", "churn.cli.main", "db", "upgrade"]
            subprocess.run(upgrade, env=env, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
        return stack.enter_context(bentoml_serve(env, target, checkout, python)).url

    sqlite = f"sqlite:///{home / 'bench.db'}"
    body = json.dumps(EXAMPLE).encode()
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    def target(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> Target:
        return Target(url, load.request(f"{url}{path}", body, dict(headers)))

    def ours(database: str, checkout: Path = PROJECT) -> Target:
        return target(serve(CHURN, database, checkout), "/predict", body, bearer)

    found = {
        EMPTY: target(serve("benchmarks.empty_endpoint:Empty", sqlite), "/empty", b"{}", {}),
        POSTGRESQL: ours(databases[0]),
        SQLITE: ours(sqlite),
        USUAL: target(serve("benchmarks.usual_design:Usual", databases[1]), "/predict", body, bearer),
    }
    if beside is not None:
        found[OTHER[POSTGRESQL]] = ours(databases[2], beside)
        found[OTHER[SQLITE]] = ours(f"sqlite:///{home / 'other.db'}", beside)
    return found


@contextmanager
def _home(home: Path) -> Iterator[str]:
    """Yield a BENTOML_HOME with the models of another."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(home / "models")
        for promoted in home.glob("churn-*.json"):
            (Path(folder) / promoted.name).symlink_to(promoted)
        yield folder


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
            target = targets[name]
            longer = 2.0 if name == USUAL else 1.0  # it answers seldom
            done = load.run(target.url, target.message, clients=clients, seconds=longer * seconds)
            if set(done.statuses) != {200}:
                raise SystemExit(f"{name} answered {done.statuses}")
            found.setdefault((name, clients), []).append(done)
    return found


def _beside(loads: Mapping[tuple[str, int], list[load.Load]]) -> dict[str, float]:
    """Return our throughput over the other checkout's: the median of the rounds' ratios."""
    return {
        f"{name.lower()}_{clients}_over_other": round(
            statistics.median(
                mine.per_second / other.per_second
                for mine, other in zip(found, loads[OTHER[name], clients], strict=True)
            ),
            3,
        )
        for (name, clients), found in loads.items()
        if name in OTHER and (OTHER[name], clients) in loads
    }


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
        place = f"{name.lower().replace(',', '').replace(' ', '_')}_{clients}"
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


def _tell(figures: Mapping[tuple[str, int], Figure], beside: Mapping[str, float]) -> None:
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
    for name, ratio in beside.items():
        console.print(f"{name}: {ratio:.3f}")


if __name__ == "__main__":
    main()
