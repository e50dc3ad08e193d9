"""The helper: what a worker has its large batches done by, in a process that is there while it is needed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from churn.core.errors import ChurnError, OverloadedError
from churn.core.language import Language
from churn.core.memory_file import MemoryFile
from churn.core.settings import Settings
from churn.database.embedded import Identity
from churn.journal.call import Call
from churn.model.registry import ServedModel
from churn.offload.child import Child


class Helper:
    """Has large batches answered and journalled by a process of its own, one at a time.

    The process is started for the first, and again where it has ended. For the event loop's thread alone.
    """

    def __init__(self, settings: Settings, model: ServedModel, opened: Identity) -> None:
        self._start = settings, model, opened
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._batch: Batch | None = None

    async def answer(self, file: MemoryFile, language: Language) -> "Batch":
        """Have the list of employees in a file replaced by the answer to it; the batch is to be closed.

        Raises:
            ChurnError: it is refused, or cannot be answered now.
        """
        await self._turn.acquire()
        try:
            if self._child is None or self._child.has_ended:
                self._child = Child(self._start)
            self._batch = Batch(self._child, file, self._turn.release)
        except BaseException:
            self._turn.release()
            raise
        await self._batch.be_answered(language)
        return self._batch

    @property
    def waiting(self) -> int:
        """How many rows wait for their commit."""
        return 0 if self._batch is None else self._batch.waiting

    def close(self) -> None:
        """End the process, once it is done with what it has begun."""
        if self._child is not None:
            self._child.close()


class Batch:
    """One batch that the process has: answered, then recorded, and forgotten there when it is closed."""

    def __init__(self, child: Child, file: MemoryFile, let_go: Callable[[], None]) -> None:
        self._child = child
        self._let_go = let_go
        self._line = child.hand(file)
        self._rows = 0
        self.waiting = 0

    async def be_answered(self, language: Language) -> None:
        """Wait for the answer.

        What takes too long for who waits is ended with the process: its next batch is another one's.

        Raises:
            ChurnError: it is refused, or the process has ended.
        """
        try:
            self._rows = await self._asked(language)
        except asyncio.CancelledError:
            self._child.kill()
            self.close()
            raise
        except BaseException:
            self.close()
            raise

    async def record(self, call: Call) -> None:
        """Have the call journalled with its predictions and their answer; durable on return.

        Raises:
            ChurnError: it is not, or the process has ended: then perhaps it is.
        """
        self.waiting = 1 + self._rows
        try:
            await self._asked(replace(call, batch=None))
        finally:
            self.close()

    def close(self) -> None:
        """Have it forgotten, and the next begin."""
        if not self._line.closed:
            self.waiting = 0
            self._line.close()
            self._child.rest()
            self._let_go()

    async def _asked(self, question: object) -> int:
        """Return the reply to a question; raises what is replied of errors."""
        try:
            self._line.send(question)
            reply = await _heard(self._line)
        except (EOFError, OSError):
            raise OverloadedError("the process for large batches has ended") from None
        if isinstance(reply, ChurnError):
            raise reply
        return int(reply)


async def _heard(line: Connection) -> Any:
    """Return what comes next; raises EOFError or OSError where that is the end."""
    loop, is_there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(line.fileno(), is_there.set)
    try:
        await is_there.wait()
    finally:
        loop.remove_reader(line.fileno())
    return line.recv()
