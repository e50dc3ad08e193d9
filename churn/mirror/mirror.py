"""The mirror of the journal: uploads batches that are closed, and puts back those that are missing.

A file is named by its first and last batch, and batches sort by time. A note beside the database says until
which batch it is mirrored; it goes with the database. Where a note is missing or late, batches are uploaded
or put back once more than needed, which changes nothing: rows are put back by their keys.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
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

    def __init__(self, engine: Engine, dataset: "Dataset", folder: Path) -> None:
        self._engine = engine
        self._dataset = dataset
        self._lock = folder / "mirror.lock"
        self._note = folder / "mirror.note"
        self._descriptor: int | None = None
        self._files: list[str] | None = None  # what the dataset holds, once that is known
        self._until = _NONE  # the newest batch that is mirrored
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
        except Exception as error:  # noqa: BLE001 - whatever it is: the thread goes on, and tries again
            self._files = None
            logger.error("the journal is not mirrored: %s", type(error).__qualname__)

    def restore(self) -> None:
        """Put back what the dataset has and the database lacks; nothing in a database that had it once.

        Raises:
            MirrorError, DatabaseError: it could not be done; another call goes on where this one was.
        """
        self._dataset.ensure()
        self._dataset.squash()
        files, until = self._listed(), self._noted()
        if until is None:
            was_empty = self._newest() == _NONE
            for path in files:
                if not self._has(_last(path)):
                    self._restore(path)
            if files:
                logger.warning("the history is back from the dataset %s", self._dataset.name)
            # Where it was not, which batches are mirrored is not known, and all of them are written anew.
            until = self._newest() if was_empty else _NONE
        self._note_mirrored(files, until)

    def _listed(self) -> list[str]:
        return [path for path in self._dataset.files() if path.startswith(_FOLDER)]

    def _restore(self, path: str) -> None:
        """Put the batches of a file back, all or none."""
        content = self._dataset.read(path)
        with explained(self._engine), self._engine.begin() as connection:
            batch_file.restore(connection, content)
        if not self._has(_last(path)):
            raise MirrorError(f"the dataset holds a file without what its name says: {path}")

    def _noted(self) -> str | None:
        """Return the batch until which this database is mirrored, if that was noted of this very file."""
        with suppress(FileNotFoundError):
            identity, _, until = self._note.read_text(encoding="utf-8").rpartition(" ")
            if identity == str(identity_of(self._engine)):
                return until
        return None

    def _note_mirrored(self, files: list[str], until: str) -> None:
        with replacing(self._note) as part:
            part.write_text(f"{identity_of(self._engine)} {until}", encoding="utf-8")
        self._files, self._until = files, until

    def upload(self, now: datetime) -> None:
        """Upload the batches that are closed and not there yet; all of them after an erasure.

        Raises:
            MirrorError, DatabaseError: it could not be done; the next call goes on.
        """
        if self._files is None:
            self.restore()
        files = self._listed()
        for path in files:
            if path not in (self._files or []):  # of a service that stopped after this one had started
                self._restore(path)
        end = bound(now - CLOSED).hex
        is_anew = bool(files) and (
            len(files) > MOST_FILES
            or self._until == _NONE
            or not self._has(_first(files[0]))  # it was purged
            or self._was_erased(self._until, end)
        )
        with explained(self._engine), self._engine.connect() as connection:
            # What the dataset has already is closed, however new it is.
            after, end = (_NONE, max(end, *map(_last, files))) if is_anew else (self._until, end)
            added = dict(_dumped(connection, after, end))
        deleted = [path for path in files if path not in added] if is_anew else []
        if added or deleted:
            self._dataset.commit("the journal", added, deleted)
        if is_anew:
            # What was erased is in no earlier commit and in no store either.
            self._dataset.squash()
            self._dataset.discard_unnamed()
        until = max(map(_last, added), default=self._until)
        self._note_mirrored(sorted({*files, *added} - set(deleted)), until)

    def _newest(self) -> str:
        """Return the newest batch in the database."""
        with explained(self._engine), self._engine.connect() as connection:
            newest = connection.exec_driver_sql("SELECT max(id) FROM journal_batches").scalar()
        return newest or _NONE

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
    # Imported here: its HTTP client takes a tenth of a start, and most services have no mirror.
    from churn.mirror.dataset import Dataset  # noqa: PLC0415

    token = settings.hf_token.get_secret_value()
    if not token:
        raise SettingsError("CHURN_HF_DATASET needs CHURN_HF_TOKEN, a token that may write to the dataset")
    if engine.dialect.name != "sqlite":
        raise SettingsError(
            "CHURN_HF_DATASET is for SQLite: PostgreSQL outlasts a restart; unset one of them"
        )
    return Mirror(engine, Dataset(settings.hf_dataset, token), settings.bentoml_home)
