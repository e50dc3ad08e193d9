"""The crash test: 16 clients, two workers, and kills at random moments; every answer is to be in the journal.

python -m benchmarks.crash_test [--rounds 20] [--database sqlite|postgresql] [--seed N] [--short]

Half of the rounds kill a worker, which BentoML replaces; half kill the server with all its workers, and
start it again on the same database. Each answer that a client received whole must then be in the journal
with all five rows, once, and say what was answered. The last line is one JSON object; the exit code is 1
where anything is lost, duplicated, altered or half.
"""

import argparse
import json
import os
import random
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from churn.database import schema
from churn.database.engine import opened
from harness import postgres
from harness.audit import Audit
from harness.crashes import CLIENTS, Kill, crash
from harness.servers import environment, home_beside
from harness.trained import train

ROUNDS, SHORT_ROUNDS = 20, 2
WORKERS = 2
DATABASES = ("sqlite", "postgresql")


def main() -> None:
    """Run the rounds on each database, print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--short", action="store_true", help=f"{SHORT_ROUNDS} rounds, to see that it holds")
    parser.add_argument("--database", choices=DATABASES, action="append", help="by default, both")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    rounds = SHORT_ROUNDS if options.short else options.rounds
    console = Console()
    console.print(f"{rounds} rounds, {CLIENTS} clients, {WORKERS} workers, --seed {options.seed}")
    kills = drawn(rounds, options.seed)
    audits = run(options.database or DATABASES, kills, options.seed, console)
    counts = {"rounds": rounds, "workers_killed": kills.count("worker"), "servers_killed": kills.count("all")}
    console.print(tabulated(audits, counts))
    figures = {name: {**counts, **asdict(found)} for name, found in audits.items()}
    print(json.dumps({"seed": options.seed, "workers": WORKERS, "clients": CLIENTS, **figures}))
    sys.exit(any(found.faults for found in audits.values()))


def drawn(rounds: int, seed: int) -> list[Kill]:
    """Return what to kill in each round: half workers, half all, in a random order."""
    kills: list[Kill] = ["worker", "all"] * ((rounds + 1) // 2)
    random.Random(seed).shuffle(kills)  # noqa: S311 - to be drawn again by its seed, not to be secret
    return kills[:rounds]


def run(databases: Sequence[str], kills: Sequence[Kill], seed: int, console: Console) -> dict[str, Audit]:
    """Return what the journal of each kind of database has after its rounds."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as progress:
        store = Path(folder) / "trained"
        tasks = {kind: progress.add_task(kind, start=False, total=len(kills)) for kind in databases}
        train(store)
        found = {}
        for kind, task in tasks.items():
            home = home_beside(store, Path(folder) / kind)
            progress.start_task(task)
            with journal(kind, home) as url:
                env = environment(
                    BENTOML_HOME=str(home),
                    CHURN_ENV_FILE=os.devnull,
                    CHURN_WORKERS=str(WORKERS),
                    DATABASE_URL=url,
                    API_TOKEN=secrets.token_urlsafe(32),
                )
                found[kind] = crash(env, kills, seed, partial(progress.advance, task))
    return found


@contextmanager
def journal(kind: str, home: Path) -> Iterator[str]:
    """Yield the URL of an empty journal; a PostgreSQL is this run's own."""
    if kind == "sqlite":
        yield f"sqlite:///{home / 'churn.db'}"
        return
    with postgres.own_server() as server, postgres.database(server.url) as url:
        with opened(url) as engine:
            schema.upgrade(engine)
        yield url


def tabulated(audits: dict[str, Audit], counts: dict[str, int]) -> Table:
    """Return the figures as people read them."""
    table = Table("", *audits)
    for name, count in counts.items():
        table.add_row(name.replace("_", " "), *[str(count)] * len(audits))
    told = {
        "answered": "predictions answered",
        "found": "found in the journal",
        "lost": "lost",
        "duplicated": "duplicated",
        "altered": "altered",
        "half": "half",
        "unverified": "not as it was sealed",
        "unheard": "journalled, but cut off",
    }
    for name, label in told.items():
        table.add_row(label, *[f"{asdict(found)[name]:,}" for found in audits.values()])
    return table


if __name__ == "__main__":
    main()
