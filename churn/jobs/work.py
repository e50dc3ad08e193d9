"""The work on one job: its file is checked, its rows are scored and journalled, and its results written."""

import logging
import sqlite3
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from churn.batch.run import Files, Run, Summary
from churn.batch.run_journal import Origin, RunJournal
from churn.core.errors import DatabaseError, ExtractError, ModelError, NotFoundError, SettingsError
from churn.core.language import pair_of
from churn.core.settings import Settings
from churn.database.embedded import Identity
from churn.database.engine import make_engine
from churn.ingest.flat import FlatTable
from churn.ingest.folder import FolderTable
from churn.ingest.mark import OTHER_MARK
from churn.ingest.rows import EmployeeTable, Reject
from churn.jobs import result_files
from churn.jobs.job import Failure, Job, RowProblem
from churn.jobs.job_folder import RESULTS, UPLOAD, JobFolder
from churn.journal import pseudonyms
from churn.journal.entry import Entry
from churn.journal.store import is_away
from churn.journal.writer import Writer
from churn.model import registry
from churn.model.registry import ServedModel

logger = logging.getLogger("churn")

ROUTE: Final = "/predict_file"
MAX_ROWS: Final = 1_000_000
MAX_PROBLEMS: Final = 50  # that a job lists
MAX_SHOWN: Final = 80  # characters of a column's name
TICK: Final = 0.5  # seconds between two looks at whether the job is still wanted
RETRY: Final = 1.0  # seconds between two tries while the database is away
CHECKED, SCORED = 0.1, 0.7  # of the whole progress, at the end of the check and of the scoring


class UnwantedError(Exception):
    """The job was cancelled, or its folder is gone."""


class OutOfTimeError(BaseException):
    """The job has taken too long; whoever handles errors of files does not handle this."""


class TooManyRowsError(Exception):
    """The file has too many rows."""


class Desk:
    """What the work on all jobs shares: the folder, the model of the worker, a connection to the database."""

    def __init__(self, folder: JobFolder, settings: Settings, model: ServedModel, identity: Identity) -> None:
        self.folder = folder
        self.pseudonym = pseudonyms.configured(settings)
        self._model = model
        url = settings.database_url.get_secret_value()
        self._engine = make_engine(url, pool_size=1, identity=identity)
        self.writer = Writer(self._engine)

    def model(self, tag: str) -> ServedModel:
        """Return the model of a tag; raises ModelError where it is gone or failed its self-test."""
        model = self._model if self._model.tag == tag else registry.load(tag, self._model.dictionary)
        model.self_test.require(model.tag)
        return model

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()
        self._engine.dispose()


class Work:
    """The work on one job."""

    def __init__(self, desk: Desk, job: uuid.UUID) -> None:
        self._desk = desk
        self._id = job
        self._next_tick = 0.0
        self._rows = self._journalled = 0

    def do(self) -> None:
        """Do what the job is for, as far as that was not done before; whatever happens is noted in it."""
        try:
            self._do()
        except UnwantedError:
            self._end(None)
        except ExtractError as error:
            self._end(
                "file", [_shown(p.file, p.line, p.column, p.expected) for p in error.problems], error.total
            )
        except TooManyRowsError:
            self._end("rows")
        except OutOfTimeError:
            self._end("time")
        except MemoryError:
            self._end("memory")
        except (DatabaseError, ModelError, SettingsError, OSError, sqlite3.Error) as error:
            logger.error("job %s: %s", self._id, type(error).__qualname__)
            kinds: dict[type[Exception], Failure] = {DatabaseError: "database", ModelError: "model"}
            self._end(next((kind for of, kind in kinds.items() if isinstance(error, of)), "disk"))
        except Exception as error:  # noqa: BLE001 - whatever it is: the job ends, the next one begins
            logger.error("job %s failed: %s", self._id, type(error).__qualname__)
            self._end("internal")

    def _do(self) -> None:
        job = self._begin()
        model = self._desk.model(job.model)
        table = self._open(job, model)
        if job.rows is None:
            self._check(table)
            if job.only_check:
                return
        self._rows = self._desk.folder.read(self._id).rows or 0
        summary = self._score(table, model, job)
        results = self._desk.folder.results(self._id)
        result_files.write(results, lambda share: self._tick(SCORED + (1 - SCORED) * share))
        with self._desk.folder.changing(self._id) as changed:
            if changed.is_cancelled:
                raise UnwantedError
            changed.scored, changed.flagged = summary.scored, summary.flagged
            changed.warnings = [count.sentence for count in summary.warned]
            changed.move("done")
        self._desk.folder.forget(self._id, UPLOAD)

    def _begin(self) -> Job:
        with self._desk.folder.changing(self._id) as job:
            if job.is_cancelled:
                raise UnwantedError
            if job.rows is None:
                job.move("checking")
        return job

    def _open(self, job: Job, model: ServedModel) -> EmployeeTable:
        files = sorted(self._desk.folder.upload(self._id).iterdir())
        thousands = job.decimal and OTHER_MARK[job.decimal]
        if len(files) == 1:
            return FlatTable(files[0], model.dictionary, thousands=thousands)
        return FolderTable(files[0].parent, model.dictionary, thousands=thousands)

    def _check(self, table: EmployeeTable) -> None:
        """Read the whole file once, and note what was understood and what is wrong."""
        rows = rejected = count = 0
        rejects: list[Reject] = []
        for part in table.batches():
            rows += len(part.numbers) + part.rejected
            rejected += part.rejected
            count += len(part.rejects)
            rejects += part.rejects[: MAX_PROBLEMS - len(rejects)]
            if rows > MAX_ROWS:
                raise TooManyRowsError
            self._tick(CHECKED * table.share())
        lines = table.lines([reject.place for reject in rejects])
        with self._desk.folder.changing(self._id) as job:
            job.rows, job.rejected, job.problem_count = rows, rejected, count
            job.readings, job.notices = table.readings(), [*map(pair_of, table.notices)]
            job.problems = [
                _shown(reject.file, line, reject.column, reject.expected)
                for reject, line in zip(rejects, lines, strict=True)
            ]
            job.progress = 1.0 if job.only_check else CHECKED
            if job.only_check:
                job.move("checked")

    def _score(self, table: EmployeeTable, model: ServedModel, job: Job) -> Summary:
        with self._desk.folder.changing(self._id) as changed:
            moment = changed.scored_at = changed.scored_at or datetime.now(UTC)
            changed.move("scoring")
        origin = Origin("POST", ROUTE, job.caller, self._id, moment)
        run_journal = RunJournal(self, model, self._desk.pseudonym, origin)
        results = self._desk.folder.results(self._id)
        results.mkdir(exist_ok=True)
        files = Files(results / result_files.SCORES, results / result_files.REJECTS, overwrite=True)
        run = Run(model, job.language, run_journal=run_journal, of_rejects=job.language)
        return run.score(table, files, lambda rows, _: self._advance(rows))

    def write(self, entries: Sequence[Entry], *, replayed: bool = False) -> None:
        """Journal entries, unless an earlier attempt has; waits for a database that is away.

        Raises:
            DatabaseError: the database refuses them.
        """
        while True:
            self._tick()
            try:
                self._desk.writer.write(entries, replayed=replayed)
            except DatabaseError as error:
                if not is_away(error):
                    raise
                threading.Event().wait(RETRY)
            else:
                break
        self._journalled += sum(len(entry.rows[1]) for entry in entries)
        self._advance(self._journalled)

    def _advance(self, rows: int) -> None:
        self._tick(CHECKED + (SCORED - CHECKED) * rows / max(self._rows, 1))

    def _tick(self, progress: float = 0.0) -> None:
        """Now and then, note how far the work is; raises UnwantedError where nobody wants it any more."""
        if time.monotonic() < self._next_tick:
            return
        self._next_tick = time.monotonic() + TICK
        try:
            with self._desk.folder.changing(self._id) as job:
                if job.is_cancelled:
                    raise UnwantedError
                job.progress = max(job.progress, round(progress, 3))
        except NotFoundError:
            raise UnwantedError from None

    def _end(self, failure: Failure | None, problems: Sequence[RowProblem] = (), count: int = 0) -> None:
        with suppress(NotFoundError), self._desk.folder.changing(self._id) as job:
            if failure is None:
                job.move("cancelled")
            else:
                job.problems, job.problem_count = problems or job.problems, count or job.problem_count
                job.fail(failure)
        self._desk.folder.forget(self._id, UPLOAD, RESULTS)


def _shown(file: str, line: int | None, column: str | None, expected: str) -> RowProblem:
    """Return a problem as a job tells it: without the value."""
    return RowProblem(file, line, column and column[:MAX_SHOWN], pair_of(expected))
