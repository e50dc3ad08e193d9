"""The process for large batches: reads, scores, answers and journals them, one after the other.

Started by a worker (`helper`), with two of its files by number: a socket to be handed batches on, and what
is needed to begin. It ends when the worker closes the socket, by whatever, and by no signal that
others may mean: a worker that is asked to stop answers first.
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
from churn.schemas.employee import request_models
from churn.schemas.prediction import Scored
from churn.web.parsing import Parser
from churn.web.tracebacks import anonymous_traceback, keep_texts_out_of_threads

logger = logging.getLogger("churn")

NICE = 5  # others' calls come first; where they take all there is, a third as much is left for this
FEW = 1000  # employees; who never had more at once has not grown
KEPT, KEPT_GROWN = 60, 3  # seconds for which it is worth keeping while there is nothing to do


class Process:
    """What the process holds open while it lives.

    Settings, model and SQLite file are the worker's, whatever was changed since that has begun.
    """

    def __init__(self, settings: Settings, model: ServedModel, opened: Identity) -> None:
        self._parser = Parser(request_models(model.dictionary))
        self._scorer = Scorer(model)
        self._engine = make_engine(settings.database_url.get_secret_value(), pool_size=1, opened=opened)
        self._store = Store(Writer(self._engine), partial(probe, self._engine), spool.configured(settings))
        self._pseudonym = pseudonyms.configured(settings)
        self._kept = KEPT

    def serve(self, control: socket.socket) -> None:
        """Take batches until there will be no more."""
        self._store.open()
        try:
            while self._is_asked(control):
                told, numbers, _, _ = socket.recv_fds(control, 1, 2)
                if not told:
                    return
                self._take(*numbers)
                self._store.catch_up()
        finally:
            self._store.close()
            self._engine.dispose()

    def _is_asked(self, control: socket.socket) -> bool:
        """Wait until something is asked; once all is in the database, say for how long this goes on."""
        while self._store.is_behind:
            if wait([control], PAUSE):
                return True
            self._store.catch_up()
        gc.collect()
        with suppress(BrokenPipeError):
            control.send(bytes([self._kept]))
        return bool(wait([control]))

    def _take(self, line: int, file: int) -> None:
        """Do one batch, unless it comes to be that nobody waits for it any more."""
        with Connection(line) as talk, MemoryFile(file) as batch, suppress(EOFError, OSError):
            self._handle(talk, batch)

    def _handle(self, line: Connection, file: MemoryFile) -> None:
        language: Language = line.recv()
        try:
            scored = self._scorer.score(self._parser.read_many(file.read()))
            body = orjson.dumps([self._scorer.document(one, language) for one in scored])
            file.replace(body)
        except ChurnError as error:
            line.send(error)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is: the process lives on, and who waits is told
            logger.error("a large batch failed:\n%s", anonymous_traceback(error))
            line.send(ChurnError("the large batch failed"))
            return
        if len(scored) > FEW:
            self._kept = KEPT_GROWN
        line.send(len(scored))
        line.send(self._refused(line.recv(), scored, body) or len(scored))

    def _refused(self, call: Call, scored: list[Scored], body: bytes) -> ChurnError | None:
        """Journal a call, and return why it could not be; else it is durable on return."""
        try:
            entry = entry_of(replace(call, scored=scored, body=body), self._pseudonym)
            return self._store.keep([entry])[0]
        except Exception as error:  # noqa: BLE001 - as above
            logger.error("the journal failed: %s", type(error).__qualname__)
            return DatabaseError("the journal failed")


def main(control: int, start: int) -> None:
    """Serve the worker that has started this."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)
    logging.basicConfig(format="%(asctime)s [%(levelname)s] [%(name)s] %(message)s")
    keep_texts_out_of_threads()
    with MemoryFile(start) as file:
        process = Process(*pickle.loads(file.read()))  # noqa: S301 - the worker's own
    gc.freeze()
    gc.disable()  # nothing of a batch is in cycles; what else is goes between two of them
    with socket.socket(fileno=control) as line:
        process.serve(line)
