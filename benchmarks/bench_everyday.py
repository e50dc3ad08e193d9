"""What everybody waits for: commands, starts and memory beside another checkout; predictions beside nothing.

python -m benchmarks.bench_everyday [CHECKOUT] [--short] [--tests]

The other checkout is installed (`make install-dev`). Both are measured in turn; figures are medians, and a
ratio is the median of those of each turn: a machine's speed changes from one minute to the next. First and
second start are those of `make run` in a clean clone, until the service answers, with the packages in uv's
cache. `--tests` runs `make test` in both,
which takes long; `--short` leaves the starts out. Predictions are measured beside an empty endpoint, in this
checkout alone. The last line is one JSON object.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks import predicting
from harness.servers import PROJECT, Process, bentoml_serve, environment, free_port

ROUNDS = (7, 1)  # (full, short)
STARTS = 3  # by `make run`: of each kind
PATIENCE = 900  # seconds that installing and training may take
MIB = 2**20

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "churn --help": ("-m", "churn.cli.main", "--help"),
    "churn token list": ("-m", "churn.cli.main", "token", "list"),
    "churn model list": ("-m", "churn.cli.main", "model", "list"),
    "import of service.py": ("-c", "import service"),
}
FIRST, SECOND, MEMORY, TESTS = "first make run", "second make run", "memory of a worker", "make test"
# At most so many times the other checkout's.
BARS: Mapping[str, float] = {
    **dict.fromkeys(("churn --help", "churn token list", "churn model list"), 0.15),
    FIRST: 0.5,
    SECOND: 0.6,
    "import of service.py": 0.6,
    MEMORY: 0.75,
    TESTS: 0.4,
}

Figures = dict[str, list[float]]  # seconds, or MiB, of each turn


@dataclass(frozen=True, slots=True)
class Checkout:
    """An installed checkout, with a home that has a model and a database."""

    folder: Path
    home: Path

    @property
    def python(self) -> str:
        """Return its interpreter."""
        return str(self.folder / ".venv/bin/python")

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of its commands."""
        return environment(BENTOML_HOME=str(self.home), CHURN_ENV_FILE="/dev/null")

    def run(self, arguments: Sequence[str]) -> float:
        """Return the seconds that its interpreter takes for something."""
        started = time.perf_counter()
        command = [self.python, *arguments]
        subprocess.run(command, cwd=self.folder, env=self.env, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    def memory(self) -> float:
        """Return the MiB of a worker that has nothing to do."""
        with bentoml_serve(self.env, cwd=self.folder, python=self.python) as server:
            [worker] = server.process.workers()
            resident: int = worker.memory_info().rss
            return resident / MIB

    def first_start(self) -> float:
        """Return the seconds until `make run` answers in a clean clone of it."""
        shutil.rmtree(self._clone, ignore_errors=True)
        clone = ["git", "-c", "advice.detachedHead=false", "clone", "-q", str(self.folder), str(self._clone)]
        subprocess.run(clone, check=True)
        return self.second_start()

    def second_start(self) -> float:
        """Return the seconds until `make run` answers in the same clone once more."""
        return _start(self._clone)

    @property
    def _clone(self) -> Path:
        return self.home / "clone"

    def tests(self) -> float:
        """Return the seconds of `make test`."""
        started = time.perf_counter()
        subprocess.run(["make", "test"], cwd=self.folder, env=environment(), check=True)
        return time.perf_counter() - started


Measure = Callable[[Checkout], float]


def main() -> None:
    """Measure, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkout", type=Path, nargs="?", help="the other one, installed")
    parser.add_argument("--short", action="store_true", help="briefly, to see that it runs")
    parser.add_argument("--tests", action="store_true", help="run all tests of both, too")
    options = parser.parse_args()
    folders = [PROJECT, *([options.checkout.absolute()] if options.checkout else [])]
    with _prepared(folders) as checkouts:
        figures = _measured(checkouts, short=options.short, tests=options.tests)
    _tell(figures)
    predictions = predicting.main(short=options.short)
    print(json.dumps(_flat(figures) | predictions))


@contextmanager
def _prepared(folders: list[Path]) -> Iterator[list[Checkout]]:
    with tempfile.TemporaryDirectory() as homes:
        checkouts = [Checkout(folder, Path(homes) / str(at)) for at, folder in enumerate(folders)]
        for checkout in checkouts:
            checkout.run(("-m", "churn.cli.main", "setup"))
        yield checkouts


def _measured(checkouts: list[Checkout], *, short: bool, tests: bool) -> list[Figures]:
    """Return the figures of each, measured in turn."""
    turns: list[tuple[str, Measure]] = []
    for name, arguments in COMMANDS.items():
        turns += [(name, partial(Checkout.run, arguments=arguments))] * ROUNDS[short]
    turns += [(MEMORY, Checkout.memory)]
    if not short:
        turns += [(FIRST, Checkout.first_start)] * STARTS + [(SECOND, Checkout.second_start)] * STARTS
    if tests:
        turns += [(TESTS, Checkout.tests)]
    figures: list[Figures] = [{} for _ in checkouts]
    for name, measure in turns:
        for checkout, found in zip(checkouts, figures, strict=True):
            found.setdefault(name, []).append(measure(checkout))
    return figures


def _start(clone: Path) -> float:
    """Return the seconds until `make run` answers."""
    port = free_port()
    env = environment(PORT=str(port))
    kept = {name: value for name, value in env.items() if name not in ("BENTOML_HOME", "VIRTUAL_ENV")}
    started = time.perf_counter()
    process = Process(["make", "run"], kept, clone)
    try:
        process.await_ready(f"http://127.0.0.1:{port}", PATIENCE)
        return time.perf_counter() - started
    finally:
        process.stop()


def _tell(figures: list[Figures]) -> None:
    table = Table(title="Seconds, and MiB of memory: ours, and the other checkout's")
    for heading in ("", "ours", "other", "ratio", "bar", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    ours, other = figures[0], (figures[1:] or [{}])[0]
    for name, value in ours.items():
        if name in other:
            ratio = _ratio(value, other[name])
            verdict = (f"{ratio:.2f}", f"{BARS[name]:.2f}", "met" if ratio <= BARS[name] else "MISSED")
            table.add_row(name, f"{median(value):.2f}", f"{median(other[name]):.2f}", *verdict)
        else:
            table.add_row(name, f"{median(value):.2f}", "", "", "", "")
    Console(width=110).print(table)


def _ratio(ours: Sequence[float], other: Sequence[float]) -> float:
    return median(value / than for value, than in zip(ours, other, strict=True))


def _flat(figures: list[Figures]) -> dict[str, float]:
    """Return every figure by a name of its own."""
    flat: dict[str, float] = {}
    for whose, found in zip(("ours", "other"), figures, strict=False):
        flat |= {f"{_plain(name)}_{whose}": round(median(values), 3) for name, values in found.items()}
    if len(figures) > 1:
        both = zip(figures[0].items(), figures[1].values(), strict=True)
        flat |= {f"{_plain(name)}_over_other": round(_ratio(ours, other), 3) for (name, ours), other in both}
    return flat


def _plain(name: str) -> str:
    return name.replace("--", "").replace(".py", "").replace(" ", "_")


if __name__ == "__main__":
    main()
