"""What could leak: what servers on one database said, printed, left in files and in the journal."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from churn.database.engine import opened
from churn.database.tables import metadata
from harness import postgres
from harness.servers import Mortal
from tests.support.marks import Marks
from tests.support.raw_sockets import connect, heard


@dataclass(frozen=True)
class Said:
    """What was sent, and all that came back."""

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
    """Everything that servers on one database wrote, by where."""

    kind: str
    marks: Marks
    said: list[Said] = field(default_factory=list)
    written: dict[str, bytes] = field(default_factory=dict)
    journal: dict[str, bytes] = field(default_factory=dict)

    @property
    def output(self) -> str:
        return "".join(what.decode() for where, what in self.written.items() if where.startswith("output"))


@dataclass(frozen=True)
class World:
    """A database, the folders that servers have to themselves, and who may call."""

    url: str
    folder: Path
    evidence: LeakSources
    away: Callable[[], AbstractContextManager[object]]  # the database is, inside it
    tokens: Mapping[str, str]
    env: Mapping[str, str]

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Mortal]:
        """Serve; what was printed is evidence afterwards."""
        with Mortal({**self.env, **settings}) as server:
            yield server
            server.stop()
            self.evidence.written[f"output {len(self.evidence.written)}"] = server.process.output.encode()

    def send(self, server: Mortal, *requests: bytes) -> list[Said]:
        """Send requests, each on a connection of its own, and keep what was said."""
        said = [Said(sent, spoken(server.url, sent)) for sent in requests]
        self.evidence.said += said
        return said

    def keep_spool(self, when: str) -> None:
        """Keep what is in the spool now."""
        for path in (self.folder / "home").glob("spool/**/*"):
            with contextlib.suppress(OSError):  # a folder, or replayed just now
                self.evidence.journal[f"{when}: {path}"] = path.read_bytes()

    def keep_database(self, when: str) -> None:
        """Keep what is in the database now."""
        kept = self.evidence.journal
        if self.evidence.kind == "sqlite":
            kept |= {f"{when}: {path}": path.read_bytes() for path in (self.folder / "database").iterdir()}
            return
        with opened(self.url) as engine, engine.connect() as connection:
            for table in metadata.tables:
                rows = connection.execute(text(f"SELECT CAST(t.* AS TEXT) FROM {table} AS t")).scalars()
                kept[f"{when}: {table}"] = "\n".join(rows).encode()

    def keep_files(self) -> None:
        """Keep every file that is no model and not of the journal."""
        for path in self.folder.rglob("*"):
            inside = path.relative_to(self.folder).parts
            if (
                path.is_file()
                and inside[0] != "database"
                and inside[:2] not in (("home", "models"), ("home", "spool"))
            ):
                self.evidence.written[str(path)] = path.read_bytes()


def spoken(url: str, sent: bytes) -> bytes:
    """Return all that a server says to some bytes until it closes the connection."""
    with connect(url) as connection:
        with contextlib.suppress(ConnectionError):  # it has heard enough
            connection.sendall(sent)
        return heard(connection)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep everybody else from writing to a SQLite file."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def stopped(own: postgres.OwnServer) -> Iterator[None]:
    """Have no PostgreSQL."""
    own.stop()
    try:
        yield
    finally:
        own.start()


@contextmanager
def database(
    kind: str, folder: Path, secret: str
) -> Iterator[tuple[str, Callable[[], AbstractContextManager[object]]]]:
    """Yield the URL of a new database, and what takes it away."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'churn.db'}", lambda: locked(folder / "churn.db")
        return
    with postgres.own_server() as own:
        # What is asked for in the URL wins: a page that waits for a lock meets its deadline, not the lock's.
        options = "options=-c%20lock_timeout=90s%20-c%20statement_timeout=90s"
        plain = own.url.replace("postgres@", f"postgres:{secret}@")
        yield f"{plain}?{options}&password={secret}", lambda: stopped(own)
