"""The SQLite file: made for its owner alone, durable, and the one that was opened, or else not touched."""

import os
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from churn.errors import DatabaseError, SettingsError

BUSY_TIMEOUT = 10  # seconds that SQLite waits for another writer
WAL_KEPT = 64 * 2**20  # bytes of its log that SQLite keeps on disk once they are in the database
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    f"journal_size_limit={WAL_KEPT}",
    "secure_delete=ON",  # what is taken away is overwritten
)

_Identity = tuple[int, int] | None


class Embedded:
    """The file of one engine, by its device and inode; its log, too, by whose name SQLite would make another.

    Who replaces or removes either under a connection makes it write to what nobody finds again.
    """

    def __init__(self, file: str) -> None:
        self._file, self._log = Path(file), Path(f"{file}-wal")
        self._is_named = file.startswith("file:")  # SQLite's own kind of URL: the file is to be there
        self._opened: _Identity = None
        self._lost_log = False

    def attach(self, engine: Engine) -> None:
        """Watch over every connection and every transaction of an engine from now on.

        Raises:
            SettingsError: the file's folder cannot be made.
        """
        event.listen(engine, "connect", _set_up)
        if self._is_named:
            return
        _make_folder(self._file.parent)
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "begin", self._begin)

    def _connect(self, *_: object) -> None:
        """Make the file where there is none yet: only its owner reads it, since it has people's values.

        SQLite gives the files that it makes beside it the same permissions.
        """
        if self._opened is None:
            with suppress(OSError):  # it is there, or cannot be made: SQLite says so better
                os.close(os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._opened = _identity(self._file)
        self._check()

    def _begin(self, connection: Connection) -> None:
        log, known = _identity(self._log), connection.info.get("log")
        if known is None:
            connection.info["log"] = log
        elif log != known:
            self._lost_log = True
        self._check()

    def _check(self) -> None:
        """Refuse a file that is not the one that was opened.

        Raises:
            DatabaseError: it was replaced or removed.
        """
        if self._lost_log or _identity(self._file) != self._opened:
            raise DatabaseError(
                f"the database {self._file} was replaced or removed while it was open: put it back, "
                "or restart the service to go on with what is there now"
            )


def truncate_log(engine: Engine) -> bool:
    """Empty SQLite's log into the file: what was taken away is in neither then; elsewhere, do nothing.

    Returns whether that could be done; not while another process goes on reading what was there before.
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        is_busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
    return not is_busy


def _identity(file: Path) -> _Identity:
    try:
        found = file.stat()
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


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Make SQLite keep what it acknowledged, hold its keys, and give back room after a rush.

    That readers go beside the writer (WAL) is the file's own affair: migrations ask for it, once.
    """
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
