"""Throughput and latency of several servers, measured in turn."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

from benchmarks import load
from benchmarks.serving import Target

Place = tuple[str, int]  # a server's name, and how many clients it has


@dataclass(frozen=True, slots=True)
class Figure:
    """Medians over the rounds: answers a second, and latencies in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float


def measure(
    targets: Mapping[str, Target], places: Sequence[Place], *, rounds: int, seconds: Mapping[str, float]
) -> dict[Place, Figure]:
    """Return what each server does with so many clients, in rounds of so many seconds for each server.

    Each round measures all of them: a machine that slows down does so for all. And it goes there and back:
    what one server leaves for the disk to do falls to another each time.
    """
    loads: dict[Place, list[load.Load]] = {place: [] for place in places}
    turns = [place for number in range(rounds) for place in places[:: 1 if number % 2 else -1]]
    with Progress(console=Console(stderr=True)) as progress:
        for name, clients in progress.track(turns, description="Measuring"):
            loads[name, clients].append(targets[name].measure(name, clients, seconds[name]))
    return {place: _median(measured) for place, measured in loads.items()}


def _median(loads: Sequence[load.Load]) -> Figure:
    return Figure(
        statistics.median(measured.per_second for measured in loads),
        statistics.median(measured.percentile(0.5) for measured in loads) * 1000,
        statistics.median(measured.percentile(0.99) for measured in loads) * 1000,
    )
