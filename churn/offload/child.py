"""The child: the process that a worker starts for its large batches, as the worker sees it."""

import asyncio
import logging
import pickle
import signal
import socket
import subprocess
import threading
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe

from churn.core import python_process
from churn.core.errors import OverloadedError
from churn.core.memory_file import MemoryFile

logger = logging.getLogger("churn")

PATIENCE = 30.0  # seconds that the process may take to end
# The signals that ask a service to stop: the worker's business, which lets this process finish.
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PROGRAM = "from churn.offload.process import main; main({}, {})"


class Child:
    """A process that takes batches, and is ended when it has been idle for some time."""

    def __init__(self, start: object) -> None:
        self.has_ended = False
        self._loop = asyncio.get_running_loop()
        self._is_busy = False
        self._idle_seconds: int | None = None  # for which it wants to be kept; None until it says so
        self._timer: asyncio.TimerHandle | None = None
        self._control, theirs = socket.socketpair()
        with theirs, MemoryFile() as file:
            file.append(pickle.dumps(start))
            self._process = _start(theirs.fileno(), file.descriptor)
        self._control.setblocking(False)
        self._loop.add_reader(self._control, self._listen)

    def send(self, file: MemoryFile) -> Connection:
        """Send a batch, and return the connection on which to talk about it.

        Raises:
            OverloadedError: the process has just ended.
        """
        ours, theirs = Pipe()
        self._is_busy, self._idle_seconds = True, None
        if self._timer is not None:
            self._timer.cancel()
        with theirs:
            try:
                socket.send_fds(self._control, [b"."], [theirs.fileno(), file.descriptor])
            except OSError:
                ours.close()
                raise OverloadedError("the process for large batches has just ended") from None
        return ours

    def set_idle(self) -> None:
        """Note that the process has nothing to do."""
        self._is_busy = False
        self._schedule_end()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._end()

    def close(self) -> None:
        """End the process once it has finished what it has begun."""
        self._end()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        """Receive for how many seconds to keep the process from now on, or nothing where it has ended."""
        message = b""
        with suppress(ConnectionError):
            message = self._control.recv(1)
        if message:
            self._idle_seconds = message[0]
            self._schedule_end()
        else:
            logger.error("the process for large batches has ended by itself; the next is started when needed")
            self._end()

    def _schedule_end(self) -> None:
        if self._idle_seconds is not None and not self._is_busy and not self.has_ended:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(self._idle_seconds, self._end)

    def _end(self) -> None:
        """Close the control socket, which ends the process."""
        if not self.has_ended:
            self.has_ended = True
            if self._timer is not None:
                self._timer.cancel()
            self._loop.remove_reader(self._control)
            self._control.close()
            # A process that ends frees its memory first, which takes a while.
            threading.Thread(target=self._process.wait, name="child-end", daemon=True).start()


def _start(*descriptors: int) -> "subprocess.Popen[bytes]":
    """Start the process with some open files of this one."""
    program = _PROGRAM.format(*descriptors)
    # It ignores them once it is up; until then they would end it, with a batch that is waiting.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
    try:
        return python_process.begin("-c", program, stdin=subprocess.DEVNULL, pass_fds=descriptors)
    except OSError as error:
        reason = f"cannot be started ({error.strerror})"
        raise OverloadedError(f"the process for large batches {reason}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
