"""Copies of the database: one file with all of it, made while the service runs, and put back."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine

from churn.core.atomic_file import replacing
from churn.core.errors import DatabaseError
from churn.database import schema
from churn.database.embedded import BUSY_TIMEOUT
from churn.database.engine import name_of, opened
from churn.records.integrity import verify

STEPS = 1000  # of SQLite's, between two checks of the time
LOCK_TIMEOUT = "5s"  # for which pg_dump waits for a lock


def backup(url: URL, file: Path, seconds: float) -> None:
    """Copy the whole database, as of one moment, to a new file that only its owner may read.

    Raises:
        DatabaseError: it could not be read, or not in so many seconds; there is no file then.
    """
    try:
        with replacing(file) as part:
            part.chmod(0o600)
            if url.get_backend_name() == "sqlite":
                _copy(Path(str(url.database)), part, seconds)
            else:
                options = ["--format=custom", f"--lock-wait-timeout={LOCK_TIMEOUT}", f"--file={part}"]
                _run("pg_dump", url, options, seconds)
    except OSError as error:
        raise DatabaseError(f"{file} cannot be written: {error.strerror}") from error


def _copy(source: Path, part: Path, seconds: float) -> None:
    """Copy a SQLite file with one statement on its own connection.

    The statement reads as of one moment and blocks no writer; each write would restart SQLite's online
    backup.
    """
    deadline = time.monotonic() + seconds
    with closing(_connect(source, timeout=BUSY_TIMEOUT)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS)
        try:
            connection.execute("VACUUM INTO ?", (str(part),))
        except sqlite3.Error as error:
            if error.sqlite_errorname == "SQLITE_INTERRUPT":
                raise _unfinished(seconds) from None
            raise DatabaseError(f"the database {source} cannot be copied: {error}") from error


def _connect(file: Path, timeout: float) -> sqlite3.Connection:
    """Return a connection to an existing file, on which each statement commits by itself."""
    uri = f"{file.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None)


def _unfinished(seconds: float) -> DatabaseError:
    return DatabaseError(f"after {seconds:.0f} seconds the copy was not whole, and is removed: see --within")


def _run(program: str, url: URL, options: Sequence[str], seconds: float | None = None) -> None:
    """Run one of PostgreSQL's programs on a database; the URL, with its password, is on no command line."""
    path = shutil.which(program)
    if path is None:
        raise DatabaseError(
            f"{program} is not installed: install PostgreSQL's client programs (on Debian: postgresql-client)"
        )
    with _service(url) as environment:
        try:
            subprocess.run(  # noqa: S603 - PostgreSQL's own program, options of ours
                [path, "--no-password", *options],
                check=True, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise _unfinished(error.timeout) from None
        except subprocess.CalledProcessError as error:
            message = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[0]
            raise DatabaseError(message) from None


@contextmanager
def _service(url: URL) -> Iterator[dict[str, str]]:
    """Yield an environment in which libpq's programs find a database, by a temporary file."""
    parameters = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
    parameters |= {"dbname": url.database}
    parameters |= {name: ",".join(values) for name, values in url.normalized_query.items()}
    with tempfile.NamedTemporaryFile("w", prefix="churn-", encoding="utf-8") as file:
        file.write(
            "[churn]\n"
            + "".join([f"{name}={value}\n" for name, value in parameters.items() if value is not None])
        )
        file.flush()
        yield {"PGSERVICEFILE": file.name, "PGSERVICE": "churn"}


def restore(url: URL, file: Path, *, over: bool = False, unverified: bool = False) -> Path | None:
    """Replace the database by a copy that was found to be intact; return the file that was set aside.

    `over` allows an existing SQLite file, which is set aside; a PostgreSQL database has to be empty. The
    journal of an `unverified` copy may differ from what was written.

    Raises:
        DatabaseError: the copy is not one of ours, or damaged or tampered with; or there is a database
        already,
            or it is in use.
    """
    if url.get_backend_name() == "sqlite":
        return _restore_sqlite(Path(str(url.database)), file, over=over, unverified=unverified)
    with opened(url.render_as_string(hide_password=False), patient=True) as engine:
        if schema.current(engine) is not None:
            raise DatabaseError(
                f"there is a journal in {name_of(engine)} already: make an empty database, and name that "
                "one in DATABASE_URL"
            )
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--dbname=service=churn"]
        _run("pg_restore", url, [*options, str(file)])
        _examine(engine, unverified=unverified)
    return None


def _restore_sqlite(target: Path, file: Path, *, over: bool, unverified: bool) -> Path | None:
    if target.exists() and not over:
        raise DatabaseError(f"there is a database in {target} already: name another one, or say --over")
    if Path(f"{file}-wal").exists():
        raise DatabaseError(f"{file} is open, or was not closed: copy it by `churn db backup`")
    aside = None
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with replacing(target) as part:
            part.chmod(0o600)
            shutil.copyfile(file, part)
            with opened(f"sqlite:///{part}", patient=True) as engine:
                _examine(engine, unverified=unverified)
            if target.exists():
                aside = _set_aside(target)
    except OSError as error:
        raise DatabaseError(f"{file} cannot be put in the place of {target}: {error.strerror}") from error
    return aside


def _examine(engine: Engine, *, unverified: bool) -> None:
    """Check that a database is ours and intact, and its journal as it was written, where this code can tell.

    Raises:
        DatabaseError: it is not.
    """
    revision = schema.current(engine)
    if revision is None:
        raise DatabaseError("the copy has no tables of churn's: name a file that `churn db backup` made")
    if revision != schema.head():
        return  # `churn db upgrade` comes first
    schema.examine(engine)
    findings = () if unverified else verify(engine).findings
    if findings:
        raise DatabaseError(
            f"the journal in the copy is not as it was written ({findings[0]}): look at another copy, or say "
            "--unverified"
        )


def _set_aside(target: Path) -> Path:
    """Move a SQLite file aside, including what was in its log, if nobody has it open."""
    with closing(_connect(target, timeout=0)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise DatabaseError(f"the database {target} is in use: stop the service first") from error
        except sqlite3.DatabaseError:
            pass  # damaged, or no database
    aside = target.with_name(f"{target.name}.{datetime.now(UTC):%Y%m%dT%H%M%S}")
    target.replace(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{target}{suffix}").replace(f"{aside}{suffix}")
    return aside
