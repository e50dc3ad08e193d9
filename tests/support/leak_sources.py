"""Leak sources: what servers on one database answer, print, and write to files and the journal."""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from sqlalchemy import text

from churn.database.engine import opened
from churn.database.tables import metadata
from harness import postgres
from harness.servers import RestartableServer, wait_until
from tests.support import canaries
from tests.support.marks import Marks
from tests.support.raw_sockets import connect, received


@dataclass(frozen=True)
class Exchange:
    """What was sent, and everything that came back."""

    sent: bytes
    answer: bytes

    @property
    def status(self) -> int:
        return int(self.answer[9:12] or 0)

    @property
    def path(self) -> bytes:
        return self.sent.partition(b" ")[2].partition(b" ")[0].partition(b"?")[0]


@dataclass
class LeakSources:
    """Everything that servers on one database wrote, by its place."""

    kind: str
    marks: Marks
    exchanges: list[Exchange] = field(default_factory=list)
    sessions: set[bytes] = field(default_factory=set)  # browsers' cookies, and the tokens of their forms
    written: dict[str, bytes] = field(default_factory=dict)
    journal: dict[str, bytes] = field(default_factory=dict)

    @property
    def output(self) -> str:
        return "".join(text.decode() for place, text in self.written.items() if place.startswith("output"))


@dataclass(frozen=True)
class World:
    """A database, the servers' own folders, and the tokens of their callers."""

    url: str
    folder: Path
    evidence: LeakSources
    away: Callable[[], AbstractContextManager[object]]  # without the database, inside it
    tokens: Mapping[str, str]
    env: Mapping[str, str]

    @contextmanager
    def serving(self, **settings: str) -> Iterator[RestartableServer]:
        """Serve; the output is evidence afterwards."""
        with RestartableServer({**self.env, **settings}) as server:
            yield server
            server.stop()
            self.evidence.written[f"output {len(self.evidence.written)}"] = server.process.output.encode()

    def send(self, server: RestartableServer, *requests: bytes) -> list[Exchange]:
        """Send requests, each on its own connection, and keep the exchanges."""
        exchanges = [Exchange(sent, exchange(server.url, sent)) for sent in requests]
        self.evidence.exchanges += exchanges
        return exchanges

    def send_files(self, server: RestartableServer, authorization: str) -> None:
        """Send files, wait until all has been done with them, and ask for all of it."""
        marks = self.evidence.marks
        for sent in self.send(server, *canaries.files(marks, authorization)):
            job = json.loads(sent.answer.partition(b"\r\n\r\n")[2])
            wait_until(partial(self._has_ended, server, job["addresses"]["self"], authorization))
            for what in ("self", "result", "rejects"):
                address = job["addresses"][what]
                self.send(server, canaries.request(marks, "GET", address, authorization))
                self.send(server, canaries.request(marks, "GET", address, self.tokens["predicts"]))
            wrong = f"{job['addresses']['result']}?format={marks.word()}"
            self.send(server, canaries.request(marks, "GET", wrong, authorization))
        self.send(server, *canaries.wrong_files(marks, authorization))

    def _has_ended(self, server: RestartableServer, address: str, authorization: str) -> bool:
        answer = httpx.get(server.url + address, headers={"Authorization": authorization})
        return answer.json()["state"] in ("done", "failed")

    def keep_spool(self, when: str) -> None:
        """Keep the current content of the spool."""
        for path in (self.folder / "home").glob("spool/**/*"):
            with contextlib.suppress(OSError):  # a folder, or replayed just now
                self.evidence.journal[f"{when}: {path}"] = path.read_bytes()

    def keep_database(self, when: str) -> None:
        """Keep the current content of the database."""
        journal = self.evidence.journal
        if self.evidence.kind == "sqlite":
            journal |= {f"{when}: {path}": path.read_bytes() for path in (self.folder / "database").iterdir()}
            return
        with opened(self.url) as engine, engine.connect() as connection:
            for table in metadata.tables:
                rows = connection.execute(text(f"SELECT CAST(t.* AS TEXT) FROM {table} AS t")).scalars()
                journal[f"{when}: {table}"] = "\n".join(rows).encode()

    def keep_files(self) -> None:
        """Keep every file that belongs neither to a model nor to the journal."""
        for path in self.folder.rglob("*"):
            inside = path.relative_to(self.folder).parts
            if (
                path.is_file()
                and inside[0] != "database"
                and inside[:2] not in (("home", "models"), ("home", "spool"))
                # What a job was sent and has made is its owner's; what is noted of it has no values.
                and (inside[:2] != ("home", "jobs") or path.name == "state.json")
            ):
                self.evidence.written[str(path)] = path.read_bytes()


def exchange(url: str, sent: bytes) -> bytes:
    """Send some bytes, and return all that the server answers until it closes the connection."""
    with connect(url) as connection:
        with contextlib.suppress(ConnectionError):  # it has read enough
            connection.sendall(sent)
        return received(connection)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Prevent all others from writing to a SQLite file."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def stopped(own: postgres.OwnServer) -> Iterator[None]:
    """Stop a PostgreSQL for a while."""
    own.stop()
    try:
        yield
    finally:
        own.start()


@contextmanager
def database(
    kind: str, folder: Path, secret: str
) -> Iterator[tuple[str, Callable[[], AbstractContextManager[object]]]]:
    """Yield the URL of a new database, and a context manager without it."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'churn.db'}", lambda: locked(folder / "churn.db")
        return
    with postgres.own_server() as own:
        # The URL's options win: a page that waits for a lock meets its own deadline, not that of the lock.
        options = "options=-c%20lock_timeout=90s%20-c%20statement_timeout=90s"
        plain = own.url.replace("postgres@", f"postgres:{secret}@")
        yield f"{plain}?{options}&password={secret}", lambda: stopped(own)
