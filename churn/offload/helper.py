"""The helper: hands a worker's large batches to a process that runs while it is needed."""

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
    """Has large batches answered and journalled by another process, one at a time.

    The process is started for the first batch, and again where it has ended. Only the event loop's thread may
    use this.
    """

    def __init__(self, settings: Settings, model: ServedModel, identity: Identity) -> None:
        self._start = settings, model, identity
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._batch: Batch | None = None

    async def answer(self, file: MemoryFile, language: Language) -> "Batch":
        """Have the list of employees in a file replaced by its answer; close the returned batch afterwards.

        Raises:
            ChurnError: the batch is refused, or cannot be answered now.
        """
        await self._turn.acquire()
        try:
            if self._child is None or self._child.has_ended:
                self._child = Child(self._start)
            self._batch = Batch(self._child, file, self._turn.release)
        except BaseException:
            self._turn.release()
            raise
        await self._batch.await_answer(language)
        return self._batch

    @property
    def waiting(self) -> int:
        """How many rows wait for their commit."""
        return 0 if self._batch is None else self._batch.waiting

    def close(self) -> None:
        """End the process once it has finished what it has begun."""
        if self._child is not None:
            self._child.close()


class Batch:
    """One batch in the process: it is answered, then recorded, and forgotten there when it is closed."""

    def __init__(self, child: Child, file: MemoryFile, release: Callable[[], None]) -> None:
        self._child = child
        self._release = release
        self._connection = child.send(file)
        self._rows = 0
        self.waiting = 0

    async def await_answer(self, language: Language) -> None:
        """Wait for the answer; if the wait is cancelled, end the process, since its next batch is another's.

        Raises:
            ChurnError: the batch is refused, or the process has ended.
        """
        try:
            self._rows = await self._request(language)
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
            ChurnError: it is not journalled; or the process has ended, and it may be.
        """
        self.waiting = 1 + self._rows
        try:
            await self._request(replace(call, batch=None))
        finally:
            self.close()

    def close(self) -> None:
        """Have the batch forgotten, and let the next one begin."""
        if not self._connection.closed:
            self.waiting = 0
            self._connection.close()
            self._child.set_idle()
            self._release()

    async def _request(self, message: object) -> int:
        """Send a message and return the reply; raises an error that is the reply."""
        try:
            self._connection.send(message)
            reply = await _receive(self._connection)
        except (EOFError, OSError):
            raise OverloadedError("the process for large batches has ended") from None
        if isinstance(reply, ChurnError):
            raise reply
        return int(reply)


async def _receive(connection: Connection) -> Any:
    """Return the next message; raises EOFError or OSError where there is none."""
    loop, is_readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection.fileno(), is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(connection.fileno())
    return connection.recv()
