"""The mirror of the journal: uploads batches that are closed, and puts back those that are missing.

A file is named by its first and last batch, and batches sort by time: the newest name says what is mirrored.
So whoever is killed in between goes on where it was. A note beside the database says with which file it was
alike last: a database that was purged since is not filled again.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from churn.core.atomic_file import replacing
from churn.core.errors import ChurnError, MirrorError, SettingsError
from churn.core.settings import Settings
from churn.database.embedded import identity_of
from churn.database.months import bound
from churn.database.schema import explained
from churn.journal.hash_chain import LEAF_BYTES
from churn.journal.operator_actions import ERASE, METHOD, PURGE
from churn.mirror import batch_file
from churn.mirror.dataset import Dataset

logger = logging.getLogger("churn")

INTERVAL = 60.0  # seconds between two uploads
CLOSED = timedelta(seconds=30)  # after which no batch with an earlier id can appear any more
MOST_FILES = 500  # then they are written anew, fewer and larger
ROWS = 20_000  # in one file, unless a single batch has more
_FOLDER = "journal/"
_SUFFIX = ".jsonl.gz"
_NONE = "0" * 32


class Mirror:
    """Keeps a dataset like the journal; one process at a time does, of those that share a folder."""

    def __init__(self, engine: Engine, dataset: Dataset, folder: Path) -> None:
        self._engine = engine
        self._dataset = dataset
        self._lock = folder / "mirror.lock"
        self._note = folder / "mirror.note"
        self._descriptor: int | None = None
        self._files: list[str] | None = None  # what the dataset holds, once that is known
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        """Start to upload in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Upload what is left, and stop."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._descriptor is not None:
            self._try(datetime.now(UTC) + CLOSED)
            os.close(self._descriptor)
        self._dataset.close()

    def _run(self) -> None:
        while True:
            leads = self._leads()
            if self._closing.wait(INTERVAL):
                return
            if leads:
                self._try(datetime.now(UTC))

    def _leads(self) -> bool:
        """Return whether this is the process that uploads; it is until it ends."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._lock, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _try(self, now: datetime) -> None:
        try:
            self.upload(now)
        except ChurnError as error:
            self._files = None
            logger.warning("the journal is not mirrored: %s", error)

    def restore(self) -> None:
        """Put back what the dataset has and the database lacks; nothing where it has the newest.

        Raises:
            MirrorError, DatabaseError: it could not be done; another call goes on where this one was.
        """
        self._dataset.ensure()
        self._dataset.squash()
        files = [path for path in self._dataset.files() if path.startswith(_FOLDER)]
        if files and not self._is_like(files[-1]):
            # The oldest first: where this is interrupted, the newest is not there.
            for path in files:
                if not self._has(_last(path)):
                    self._restore(path)
            logger.warning("the history is back from the dataset %s", self._dataset.name)
        self._note_alike(files)

    def _restore(self, path: str) -> None:
        """Put the batches of a file back, all or none."""
        content = self._dataset.read(path)
        with explained(self._engine), self._engine.begin() as connection:
            batch_file.restore(connection, content)
        if not self._has(_last(path)):
            raise MirrorError(f"the dataset holds a file without what its name says: {path}")

    def _is_like(self, newest: str) -> bool:
        """Return whether the database has had everything up to the newest file."""
        try:
            noted = self._note.read_text(encoding="utf-8")
        except FileNotFoundError:
            noted = ""
        return noted == self._noted(newest) or self._has(_last(newest))

    def _note_alike(self, files: list[str]) -> None:
        """Note that the database has had everything in some files."""
        self._files = files
        if files:
            with replacing(self._note) as part:
                part.write_text(self._noted(files[-1]), encoding="utf-8")

    def _noted(self, newest: str) -> str:
        """Return a note about this very database, and not one that was put in its place."""
        return f"{identity_of(self._engine)} {newest}"

    def upload(self, now: datetime) -> None:
        """Upload the batches that are closed and not there yet; all of them after an erasure.

        Raises:
            MirrorError, DatabaseError: it could not be done; the next call goes on.
        """
        if self._files is None:
            self.restore()
        files = self._files or []
        newest = _last(files[-1]) if files else _NONE
        end = bound(now - CLOSED).hex
        is_anew = bool(files) and (
            len(files) > MOST_FILES
            or not self._has(_first(files[0]))  # it was purged
            or self._was_erased(newest, end)
        )
        with explained(self._engine), self._engine.connect() as connection:
            added = dict(_dumped(connection, _NONE if is_anew else newest, end))
        deleted = [path for path in files if path not in added] if is_anew else []
        if not added and not deleted:
            return
        self._dataset.commit("the journal", added, deleted)
        if is_anew:
            self._dataset.squash()  # what was erased is in no earlier commit either
        self._note_alike(sorted({*files, *added} - set(deleted)))

    def _has(self, batch: str) -> bool:
        with explained(self._engine), self._engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT 1 FROM journal_batches WHERE id = ?", (batch,))
            return found.first() is not None

    def _was_erased(self, after: str, until: str) -> bool:
        """Return whether something was erased or purged in the batches between two."""
        query = (
            "SELECT 1 FROM requests WHERE batch_id > ? AND batch_id <= ? AND method = ? AND route IN (?, ?)"
        )
        with explained(self._engine), self._engine.connect() as connection:
            found = connection.exec_driver_sql(query, (after, until, METHOD, ERASE, PURGE))
            return found.first() is not None


def _dumped(connection: Connection, after: str, until: str) -> Iterator[tuple[str, bytes]]:
    """Yield files of the batches after one and until another: their names and contents."""
    query = "SELECT id, length(leaves) FROM journal_batches WHERE id > ? AND id <= ? ORDER BY id"
    first, rows = "", 0
    batches = connection.exec_driver_sql(query, (after, until)).all()
    for key, size in batches:
        first = first or key
        rows += size // LEAF_BYTES
        if rows >= ROWS or key == batches[-1][0]:
            yield f"{_FOLDER}{first}-{key}{_SUFFIX}", batch_file.dump(connection, first, key)
            first, rows = "", 0


def _first(path: str) -> str:
    """Return the first batch of a file."""
    return path.removeprefix(_FOLDER).partition("-")[0]


def _last(path: str) -> str:
    """Return the last batch of a file."""
    last = path.removesuffix(_SUFFIX).rpartition("-")[2]
    if len(last) != len(_NONE):
        raise MirrorError(f"the dataset holds a file that is not ours: {path}")
    return last


def configured(settings: Settings, engine: Engine) -> Mirror | None:
    """Return the mirror of the settings; None where they ask for none.

    Raises:
        SettingsError: they ask for one without a token, or of PostgreSQL, which outlasts a restart.
    """
    if not settings.hf_dataset:
        return None
    token = settings.hf_token.get_secret_value()
    if not token:
        raise SettingsError("CHURN_HF_DATASET needs CHURN_HF_TOKEN, a token that may write to the dataset")
    if engine.dialect.name != "sqlite":
        raise SettingsError(
            "CHURN_HF_DATASET is for SQLite: PostgreSQL outlasts a restart; unset one of them"
        )
    return Mirror(engine, Dataset(settings.hf_dataset, token), settings.bentoml_home)
