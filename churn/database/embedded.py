"""The SQLite file: readable by its owner alone, durable, and never written to after it was replaced."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DontWrapMixin

from churn.core.errors import DatabaseError, SettingsError

BUSY_TIMEOUT = 10  # seconds that SQLite waits for another writer
WAL_KEPT = 64 * 2**20  # bytes of its log that SQLite keeps on disk once they are in the database
# Commits are durable, and room is given back after a rush. The file itself stores that it is in WAL mode,
# where readers do not wait for the writer: migrations set that, once.
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    f"journal_size_limit={WAL_KEPT}",
    "secure_delete=ON",  # deleted values are overwritten
)

Identity = tuple[int, int] | None


class LostError(DatabaseError, DontWrapMixin):
    """The file, or its log, was replaced or removed; SQLAlchemy passes this error on as it is."""


class Embedded:
    """The file of one engine and its log, each identified by device and inode.

    A connection whose file or log was replaced or removed would write to a file that nobody finds again.
    `identity` is the file that another process has opened; by default, it is the one that is found first.

    Raises:
        SettingsError: the file's folder cannot be made.
    """

    def __init__(self, file: str, identity: Identity = None) -> None:
        self._file, self._log = file, f"{file}-wal"
        self._is_uri = file.startswith("file:")  # SQLite's own kind of URL: the file has to exist
        self._identity = identity
        self._lost_log = False
        if not self._is_uri:
            _make_folder(Path(file).parent)

    def make(self) -> None:
        """Make the file where there is none yet; only its owner may read it, since it holds personal data.

        SQLite gives the files that it makes beside it the same permissions.

        Raises:
            LostError: it is not the one that was opened before.
        """
        if self._is_uri:
            return
        if self._identity is None:
            with suppress(OSError):  # it exists, or cannot be made: SQLite's own message is better
                os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._identity = _identity(self._file)
        self.check(None)

    def check(self, log: Identity) -> Identity:
        """Return the log's identity; refuse a file, or a log, that is not the one that was opened.

        Raises:
            LostError: it was replaced or removed.
        """
        if self._is_uri:
            return None
        current_log = _identity(self._log)
        if log is not None and current_log != log:
            self._lost_log = True
        if self._lost_log or _identity(self._file) != self._identity:
            raise LostError(
                f"the database {self._file} was replaced or removed while it was open: put it back, "
                "or restart the service to go on with what is there now"
            )
        return current_log


class SqliteConnection(sqlite3.Connection):
    """A connection to an embedded file, which is checked before each transaction.

    A subclass of the driver's: any listener to the transactions of an engine makes SQLAlchemy walk through
    all its events on every statement.
    """

    def __init__(self, embedded: Embedded, *arguments: Any, **options: Any) -> None:
        embedded.make()
        super().__init__(*arguments, **options)
        self._embedded = embedded
        self._log: Identity = None
        for pragma in _PRAGMAS:
            self.execute(f"PRAGMA {pragma}").close()

    def cursor(self, *arguments: Any) -> Any:
        """Return a cursor; raises LostError where the file is not the one that was opened."""
        if not self.in_transaction:
            self._log = self._embedded.check(self._log)
        return super().cursor(*arguments)


def identity_of(engine: Engine) -> Identity:
    """Return the identity of an engine's SQLite file, so that another process can open it; None elsewhere."""
    return _identity(str(engine.url.database)) if engine.dialect.name == "sqlite" else None


def truncate_log(engine: Engine) -> bool:
    """Empty SQLite's log into the file, so that deleted values are in neither; elsewhere, do nothing.

    Returns whether that could be done: not while another process is still reading older rows.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
    return not is_busy


def _identity(file: str) -> Identity:
    try:
        status = os.stat(file)  # noqa: PTH116 - in each transaction: `Path` takes twice as long
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the folder {folder} for the database cannot be made ({error.strerror}): "
            "name a file in a folder that this user may write in DATABASE_URL"
        ) from error
