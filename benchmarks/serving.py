"""Servers to measure: this checkout's or another's, each with a worker, a database and a home of its own."""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks import load
from churn.dictionary.technova import TECHNOVA
from harness import postgres
from harness.servers import PROJECT, bentoml_serve, environment, resident
from harness.trained import train

POSTGRESQL, SQLITE, EMPTY = "PostgreSQL", "SQLite", "empty endpoint"
CLIENTS = (1, 16, 64)
CHURN = "service:Churn"
_TOKEN = secrets.token_urlsafe(32)
AUTHORIZED = {"Authorization": f"Bearer {_TOKEN}"}


def parser_of(documentation: str | None) -> argparse.ArgumentParser:
    """Return what reads the options that every benchmark of servers has."""
    parser = argparse.ArgumentParser(description=(documentation or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, help="folder of the three extracts; by default, the sample")
    parser.add_argument("--short", action="store_true", help="briefly, to see that it runs")
    return parser


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is up, and what is sent to it."""

    url: str
    message: bytes
    pid: int

    def to(self, method: str, path: str, body: object) -> "Target":
        """Return the same server with something else that is sent to it."""
        parts = urlsplit(self.url)
        url = f"{parts.scheme}://{parts.netloc}{path}"
        return Target(self.url, load.request(url, json.dumps(body).encode(), AUTHORIZED, method), self.pid)

    def memory(self) -> int:
        """Return the MB that its processes hold."""
        return resident(psutil.Process(self.pid)) // 10**6

    def measure(self, name: str, clients: int, seconds: float) -> load.Load:
        """Return what it answers so many clients; ends the benchmark where it refuses."""
        done = load.run(self.url, self.message, clients=clients, seconds=seconds)
        if set(done.statuses) != {200}:
            raise SystemExit(f"{name} answered {done.statuses}")
        return done


class Servers:
    """Starts servers with the same model and token; all stop with the stack.

    `data` is the folder of the extracts that the model is trained from; by default, the sample.
    """

    def __init__(self, stack: ExitStack, data: Path | None) -> None:
        self._stack = stack
        self._home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._env = environment(BENTOML_HOME=str(self._home), CHURN_ENV_FILE=os.devnull, API_TOKEN=_TOKEN)
        train(self._home, data)
        self._postgres = stack.enter_context(postgres.server(durable=True))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop at the end what is started meanwhile, and keep the model."""
        outer = self._stack
        with ExitStack() as self._stack:
            yield
        self._stack = outer

    def database(self, kind: str) -> str:
        """Return the URL of a new, empty database, whose commits reach the disk."""
        if kind == POSTGRESQL:
            return self._stack.enter_context(postgres.database(self._postgres))
        return f"sqlite:///{self._stack.enter_context(tempfile.TemporaryDirectory())}/bench.db"

    def churn(self, kind: str, checkout: Path = PROJECT) -> Target:
        """Start the service of a checkout on a database of a kind."""
        return self.start(CHURN, "/predict", self.database(kind), checkout=checkout)

    def empty(self) -> Target:
        """Start BentoML with an endpoint that does nothing."""
        return self.start("benchmarks.empty_endpoint:Empty", "/empty", self.database(SQLITE), {})

    def start(
        self,
        service: str,
        path: str,
        database: str,
        body: object = TECHNOVA.example,
        checkout: Path = PROJECT,
        settings: Mapping[str, str] | None = None,
    ) -> Target:
        """Start a service, with a home of its own for metrics and spool, and return how it is called."""
        home = self._stack.enter_context(_home_beside(self._home))
        env = {**self._env, "BENTOML_HOME": home, "DATABASE_URL": database, **(settings or {})}
        python = sys.executable if checkout == PROJECT else str(checkout / ".venv/bin/python")
        if service == CHURN:
            self._churn(python, checkout, env, "db", "upgrade")
        server = self._stack.enter_context(bentoml_serve(env, service, checkout, python))
        message = load.request(f"{server.url}{path}", json.dumps(body).encode(), AUTHORIZED)
        return Target(server.url, message, server.process.pid)

    def _churn(self, python: str, checkout: Path, env: dict[str, str], *command: str) -> None:
        whole = [python, "-m", "churn.cli.main", *command]
        subprocess.run(whole, env=env, cwd=checkout, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _home_beside(home: Path) -> Iterator[str]:
    """Yield a BENTOML_HOME with the models of another."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").symlink_to(home / "models")
        for promoted in home.glob("churn-*.json"):
            (Path(folder) / promoted.name).symlink_to(promoted)
        yield folder
