"""Entries to spool, and processes that spool or replay them until they are killed.

python -m tests.support.spooling append FOLDER MAX_BYTES       append for ever; print what is acknowledged
python -m tests.support.spooling limited FOLDER MAX_BYTES      append while the disk takes no more, then again
python -m tests.support.spooling full FOLDER MAX_BYTES         append until the disk is full, replay, go on
python -m tests.support.spooling hold FOLDER MAX_BYTES         append three entries, then wait
python -m tests.support.spooling replay FOLDER MAX_BYTES       replay all that there is; print it
python -m tests.support.spooling die FOLDER MAX_BYTES DATABASE die between a commit and what follows it
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from churn.core.errors import SpoolError
from churn.core.ids import new_id
from churn.database.engine import make_engine
from churn.journal.call import Call
from churn.journal.entry import Entry, entry_of
from churn.journal.spool import Spool
from churn.journal.writer import Writer
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored
from harness.servers import PROJECT

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
DIED = 9
LIMIT = 50_000  # bytes that a file may have in `limited`


def make(count: int, employees: int = 1) -> list[Entry]:
    """Return entries, oldest first; one of 50 employees takes about 30 kB."""
    return [_entry(employees) for _ in range(count)]


def _entry(employees: int) -> Entry:
    scored = [
        Scored(new_id(), {"age": 40 + n}, {"age": 40.0}, -1.5, {"age": 0.25}, "churn:abc", 1, 0.22, 0.2)
        for n in range(employees)
    ]
    call = Call(new_id(), NOON, "POST", "/predict", Caller(), NOON, 200, 5.0, b"{}", scored, "churn:abc")
    return entry_of(call)


def ids(entries: Sequence[Entry]) -> list[str]:
    """Return the ids of entries, in their order."""
    return [entry.id for entry in entries]


def drain(spool: Spool, at_most: int = 500) -> list[str]:
    """Replay everything; return the ids in their order."""
    replayed: list[str] = []
    while spool.pending:
        spool.replay(lambda entries: replayed.extend(ids(entries)), at_most)
    return replayed


def fill(spool: Spool, step: int = 1) -> tuple[list[str], SpoolError]:
    """Append until the spool refuses; return the ids that it took, and the error."""
    appended: list[str] = []
    while True:
        entries = make(step)
        try:
            spool.append(entries)
        except SpoolError as error:
            return appended, error
        appended += ids(entries)


@contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run this module in its own process, which is killed at the end."""
    command = [sys.executable, "-m", "tests.support.spooling", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            yield child
        finally:
            child.kill()


def printed(stream: IO[str] | None) -> list[str]:
    """Return the acknowledged ids in the complete lines that a process printed until it ended."""
    return [word for line in stream or () if line.endswith("\n") for word in line.split()]


def _append(spool: Spool) -> None:
    for turn in range(10**9):
        entries = make(1 + turn % 16, employees=1 + turn % 3)
        spool.append(entries)
        _print(entries)


def _limited(spool: Spool) -> None:
    """Print the ids that were appended before and after the limit, with the error on a line between them."""
    sys.dont_write_bytecode = True  # Python would keep half of a file
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    appended, error = fill(spool, step=7)
    _say(*appended)
    _say("error:", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    entries = make(7)
    spool.append(entries)
    _print(entries)


def _full(spool: Spool) -> None:
    """Fill the disk, replay, and go on; print the error, and whether everything was replayed."""
    appended, error = fill(spool)
    _say(error)
    replayed = drain(spool)
    entries = make(1)
    spool.append(entries)
    _say(len(appended), replayed == appended, drain(spool) == ids(entries))


def _hold(spool: Spool) -> None:
    entries = make(3)
    spool.append(entries)
    _print(entries)
    sys.stdin.read()


def _replay(spool: Spool) -> None:
    while spool.pending:
        spool.replay(_print, at_most=10)


def _die(spool: Spool, database_url: str) -> None:
    writer = Writer(make_engine(database_url))

    def write(entries: Sequence[Entry]) -> None:
        writer.write(entries, replayed=True)
        os._exit(DIED)

    spool.replay(write, at_most=10)


def _print(entries: Sequence[Entry]) -> None:
    _say(*ids(entries))


def _say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - another process reads it


if __name__ == "__main__":
    word, folder, max_bytes, *more = sys.argv[1:]
    words = {
        "append": _append,
        "limited": _limited,
        "full": _full,
        "hold": _hold,
        "replay": _replay,
        "die": _die,
    }
    words[word](Spool(Path(folder), int(max_bytes)), *more)  # type: ignore[operator]
