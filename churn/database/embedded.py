"""The SQLite file: made for its owner alone, durable, and the one that was opened, or else not touched."""

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
# What it keeps: what was acknowledged, and the keys; room is given back after a rush. That readers go beside
# the writer (WAL) is the file's own affair: migrations ask for it, once.
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    f"journal_size_limit={WAL_KEPT}",
    "secure_delete=ON",  # what is taken away is overwritten
)

Identity = tuple[int, int] | None


class LostError(DatabaseError, DontWrapMixin):
    """The file, or its log, was replaced or removed; SQLAlchemy is to let it through as it is."""


class Embedded:
    """The file of one engine, by its device and inode; its log, too, by whose name SQLite would make another.

    Who replaces or removes either under a connection makes it write to what nobody finds again. `opened` is
    the file where another process has opened it before; else it is what is there first.

    Raises:
        SettingsError: the file's folder cannot be made.
    """

    def __init__(self, file: str, opened: Identity = None) -> None:
        self._file, self._log = file, f"{file}-wal"
        self._is_named = file.startswith("file:")  # SQLite's own kind of URL: the file is to be there
        self._opened = opened
        self._lost_log = False
        if not self._is_named:
            _make_folder(Path(file).parent)

    def make(self) -> None:
        """Make the file where there is none yet: only its owner reads it, since it has people's values.

        SQLite gives the files that it makes beside it the same permissions.

        Raises:
            LostError: it is not the one that was opened before.
        """
        if self._is_named:
            return
        if self._opened is None:
            with suppress(OSError):  # it is there, or cannot be made: SQLite says so better
                os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._opened = _identity(self._file)
        self.check(None)

    def check(self, log: Identity) -> Identity:
        """Return which log there is; refuse a file, or a log, that is not the one that was opened.

        Raises:
            LostError: it was replaced or removed.
        """
        if self._is_named:
            return None
        found = _identity(self._log)
        if log is not None and found != log:
            self._lost_log = True
        if self._lost_log or _identity(self._file) != self._opened:
            raise LostError(
                f"the database {self._file} was replaced or removed while it was open: put it back, "
                "or restart the service to go on with what is there now"
            )
        return found


class File(sqlite3.Connection):
    """A connection to an embedded file, which is looked at before each transaction.

    It is the driver's own class: a listener of SQLAlchemy's to an engine's transactions costs every
    statement a walk through all that could be listened to.
    """

    def __init__(self, embedded: Embedded, *arguments: Any, **options: Any) -> None:
        embedded.make()
        super().__init__(*arguments, **options)
        self._embedded = embedded
        self._log: Identity = None
        for pragma in _PRAGMAS:
            self.execute(f"PRAGMA {pragma}").close()

    def cursor(self, *arguments: Any) -> Any:
        """Return a cursor; LostError where the file is not the one that was opened."""
        if not self.in_transaction:
            self._log = self._embedded.check(self._log)
        return super().cursor(*arguments)


def identity_of(engine: Engine) -> Identity:
    """Return which SQLite file an engine has, for another process to open the same; None elsewhere."""
    return _identity(str(engine.url.database)) if engine.dialect.name == "sqlite" else None


def truncate_log(engine: Engine) -> bool:
    """Empty SQLite's log into the file: what was taken away is in neither then; elsewhere, do nothing.

    Returns whether that could be done; not while another process goes on reading what was there before.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
    return not is_busy


def _identity(file: str) -> Identity:
    try:
        found = os.stat(file)  # noqa: PTH116 - with each transaction: `Path` takes twice as long
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"the folder {folder} for the database cannot be made ({error.strerror}): "
            "name a file in a folder that this user may write in DATABASE_URL"
        ) from error
