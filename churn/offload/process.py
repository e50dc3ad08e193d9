"""The process for large batches: reads, scores, answers and journals them, one after the other.

A worker starts it (`helper`) with two open files: a socket that brings the batches, and a file with the
settings and the model. It ends when the worker closes the socket or dies. It ignores the usual signals: a
worker that is asked to stop answers first.
"""

import gc
import logging
import os
import pickle
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection, wait

import orjson

from churn.core.errors import ChurnError, DatabaseError
from churn.core.language import Language
from churn.core.memory_file import MemoryFile
from churn.core.settings import Settings
from churn.database.embedded import Identity
from churn.database.engine import make_engine
from churn.journal import pseudonyms, spool
from churn.journal.call import Call
from churn.journal.entry import entry_of
from churn.journal.journal import PAUSE
from churn.journal.store import Store
from churn.journal.writer import Writer, probe
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from churn.offload.child import IGNORED
from churn.schemas.employee import request_models
from churn.schemas.prediction import Scored
from churn.web.parsing import Parser
from churn.web.tracebacks import anonymous_traceback, log_threads_without_texts

logger = logging.getLogger("churn")

NICE = 5  # other calls come first; if they take all they can, this process gets a third as much
LARGE = 1000  # employees; without a larger batch, the process has hardly grown
IDLE, IDLE_GROWN = 60, 3  # seconds for which an idle process is worth keeping


class Process:
    """Everything that the process keeps open.

    Settings, model and SQLite file are those of the worker, whatever has changed since it started.
    """

    def __init__(self, settings: Settings, model: ServedModel, identity: Identity) -> None:
        self._parser = Parser(request_models(model.dictionary))
        self._scorer = Scorer(model)
        self._engine = make_engine(settings.database_url.get_secret_value(), pool_size=1, identity=identity)
        self._store = Store(Writer(self._engine), partial(probe, self._engine), spool.configured(settings))
        self._pseudonym = pseudonyms.configured(settings)
        self._idle_seconds = IDLE

    def serve(self, control: socket.socket) -> None:
        """Take batches until the worker closes the socket."""
        self._store.open()
        try:
            while self._await_batch(control):
                if not (descriptors := received(control)):
                    return
                self._take(*descriptors)
                self._store.catch_up()
        finally:
            self._store.close()
            self._engine.dispose()

    def _await_batch(self, control: socket.socket) -> bool:
        """Wait for a batch; once everything is in the database, say for how long to keep this process."""
        while self._store.is_behind:
            if wait([control], PAUSE):
                return True
            self._store.catch_up()
        gc.collect()
        with suppress(BrokenPipeError):
            control.send(bytes([self._idle_seconds]))
        return bool(wait([control]))

    def _take(self, pipe: int, file: int) -> None:
        """Handle one batch, until nobody waits for it any more."""
        with Connection(pipe) as connection, MemoryFile(file) as batch, suppress(EOFError, OSError):
            self._handle(connection, batch)

    def _handle(self, connection: Connection, file: MemoryFile) -> None:
        language: Language = connection.recv()
        try:
            scored = self._scorer.score(self._parser.read_many(file.read()))
            body = orjson.dumps([self._scorer.document(prediction, language) for prediction in scored])
            file.replace(body)
        except ChurnError as error:
            connection.send(error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is: the process goes on, and the caller is told
            logger.error("a large batch failed:\n%s", anonymous_traceback(error))
            connection.send(ChurnError("the large batch failed"))
            return
        if len(scored) > LARGE:
            self._idle_seconds = IDLE_GROWN
        connection.send(len(scored))
        connection.send(self._journal(connection.recv(), scored, body) or len(scored))

    def _journal(self, call: Call, scored: list[Scored], body: bytes) -> ChurnError | None:
        """Journal a call, durable on return, or return why that failed."""
        try:
            entry = entry_of(replace(call, scored=scored, body=body), self._pseudonym)
            return self._store.keep([entry])[0]
        except Exception as error:  # noqa: BLE001 - as above
            logger.error("the journal failed: %s", type(error).__qualname__)
            return DatabaseError("the journal failed")


def received(control: socket.socket) -> list[int]:
    """Return the pipe and the file of a batch; nothing where the worker has ended."""
    try:
        return socket.recv_fds(control, 1, 2)[1]
    except ConnectionResetError:  # it has ended with something of ours unread
        return []


def main(control: int, start: int) -> None:
    """Serve the worker that started this process."""
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
    os.nice(NICE)
    logging.basicConfig(format="%(asctime)s [%(levelname)s] [%(name)s] %(message)s")
    log_threads_without_texts()
    with MemoryFile(start) as file:
        process = Process(*pickle.loads(file.read()))  # noqa: S301 - the worker's own
    gc.freeze()
    gc.disable()  # batches make no cycles; others are collected between two batches
    with socket.socket(fileno=control) as worker:
        process.serve(worker)
