"""The child: a process that a worker starts for its large batches, as the worker sees it."""

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe

from churn import PROJECT
from churn.core.errors import OverloadedError
from churn.core.memory_file import MemoryFile

logger = logging.getLogger("churn")

PATIENCE = 30.0  # seconds that it may take to end
_PROGRAM = "from churn.offload.process import main; main({}, {})"


class Child:
    """A process that is handed batches, and ended when it has been at rest for as long as it is worth."""

    def __init__(self, start: object) -> None:
        self.has_ended = False
        self._loop = asyncio.get_running_loop()
        self._is_busy = False
        self._kept: int | None = None  # seconds, by its own word, when it is at rest
        self._timer: asyncio.TimerHandle | None = None
        self._control, theirs = socket.socketpair()
        with theirs, MemoryFile() as file:
            file.append(pickle.dumps(start))
            self._process = _started(theirs.fileno(), file.descriptor)
        self._control.setblocking(False)
        self._loop.add_reader(self._control, self._listen)

    def hand(self, file: MemoryFile) -> Connection:
        """Hand it a batch, and return the line on which to talk about it.

        Raises:
            OverloadedError: it has just ended.
        """
        ours, theirs = Pipe()
        self._is_busy, self._kept = True, None
        if self._timer is not None:
            self._timer.cancel()
        with theirs:
            try:
                socket.send_fds(self._control, [b"."], [theirs.fileno(), file.descriptor])
            except OSError:
                ours.close()
                raise OverloadedError("the process for large batches has just ended") from None
        return ours

    def rest(self) -> None:
        """Let it go for now: nothing is asked of it."""
        self._is_busy = False
        self._be_kept()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._end()

    def close(self) -> None:
        """End it once it is done with what it has begun."""
        self._end()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        """Hear for how long it is to be kept from now on, or that it has ended."""
        told = b""
        with suppress(ConnectionError):
            told = self._control.recv(1)
        if told:
            self._kept = told[0]
            self._be_kept()
        else:
            logger.error("the process for large batches has ended by itself; the next is started when needed")
            self._end()

    def _be_kept(self) -> None:
        if self._kept is not None and not self._is_busy and not self.has_ended:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(self._kept, self._end)

    def _end(self) -> None:
        """Have it end: it sees that there will be no more."""
        if not self.has_ended:
            self.has_ended = True
            if self._timer is not None:
                self._timer.cancel()
            self._loop.remove_reader(self._control)
            self._control.close()
            # What ends gives its memory back first, which takes a while.
            threading.Thread(target=self._process.wait, name="child-end", daemon=True).start()


def _started(*numbers: int) -> "subprocess.Popen[bytes]":
    """Start the process with files of this one; it does what this checkout says."""
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        return subprocess.Popen(  # noqa: S603 - this Python, with a program of ours
            [sys.executable, "-P", "-c", _PROGRAM.format(*numbers)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            pass_fds=numbers,
        )
    except OSError as error:
        reason = f"cannot be started ({error.strerror})"
        raise OverloadedError(f"the process for large batches {reason}") from error
