"""The supervisor: BentoML's, but nobody else commands it, and it restarts its workers one by one.

It starts them before it checks what they need, as they import meanwhile; they open nothing before it is done.

It runs in the process that `bentoml serve` is.
"""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from bentoml._internal.utils import circus
from bentoml._internal.utils.circus import Arbiter, ThreadedArbiter
from circus.process import DEAD_OR_ZOMBIE, UNEXISTING

from churn.core.places import python_path
from churn.core.settings import KEEP_ALIVE
from churn.web.server.worker import BENTOML, SUPERVISED
from churn.web.worker_marks import FOLDER, SERVING, SUPERVISOR, tell_checked

logger = logging.getLogger("churn")

LOOK = 1.0  # seconds after which a dead worker is seen; BentoML's own 10 are for a conflict that is none here
PATIENCE = 120.0  # seconds that a new worker may take until it serves

WORKER = "churn.web.server.worker"
SERVED = {SUPERVISED: "churn.service:Churn"}  # what workers serve where another is supervised
_DEAD = (DEAD_OR_ZOMBIE, UNEXISTING)
_KEEP_ALIVE = "--timeout-keep-alive"  # of BentoML's workers


def install(prepare: Callable[[], bool]) -> None:
    """Have BentoML take this supervisor in place of the one that `bentoml serve` has.

    `prepare` ends the start by SystemExit, or returns whether identities have been made.
    """
    circus.Arbiter = partial(Supervisor, prepare)  # type: ignore[misc,assignment]
    circus.ThreadedArbiter = partial(_threaded, prepare)  # type: ignore[misc,assignment]


def _threaded(prepare: Callable[[], bool], *arguments: Any, **options: Any) -> ThreadedArbiter:
    """Return what `bentoml.serve` in Python supervises by, a thread: the checks come first."""
    prepare()
    return ThreadedArbiter(*arguments, **options)


class Supervisor(Arbiter):
    """Starts the workers and looks after them; commanded by signals, and by sockets in a folder of its own.

    BentoML's listens on two ports of the machine, and obeys whoever connects there.
    """

    def __init__(self, prepare: Callable[[], bool], watchers: list[Any], **options: Any) -> None:
        folder = tempfile.mkdtemp(prefix="churn-")  # nobody else may enter it
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        for watcher in watchers:
            watcher.env |= {SUPERVISOR: str(os.getpid()), FOLDER: folder, "PYTHONPATH": python_path()}
            others = {BENTOML: WORKER, **SERVED}
            watcher.args = [others.get(argument, argument) for argument in watcher.args]
            watcher.respawn = True  # BentoML lets the dead be in its own containers
            if _KEEP_ALIVE not in watcher.args:
                watcher.args += [_KEEP_ALIVE, str(KEEP_ALIVE)]
        self._services, self._folder = list(watchers), Path(folder)
        self._prepare, self._is_checked, self._has_identities = prepare, False, False
        self._is_over = asyncio.Event()  # the checks are done, or a signal ends the start
        self._since = 0.0  # who was started before is to be replaced
        self._rolling: asyncio.Future[None] | None = None
        options |= {"endpoint": f"ipc://{folder}/control", "pubsub_endpoint": f"ipc://{folder}/events"}
        super().__init__(watchers, **(options | {"check_delay": LOOK}))

    def start(self, cb: Callable[[Any], Any] | None = None) -> None:
        """Serve until a signal ends it; `cb` is called once the workers are let open what they need."""
        super().start(lambda future: cb(future) if cb and self._is_checked else None)

    def start_watchers(self, watcher_iter_func: Any = None) -> asyncio.Future[None]:
        """Start the workers, and check what they need meanwhile; circus calls it at the start."""
        return self.loop.asyncio_loop.create_task(self._start_and_check(watcher_iter_func))  # type: ignore[no-any-return]

    async def _start_and_check(self, watcher_iter_func: Any) -> None:
        await super().start_watchers(watcher_iter_func)
        # A daemon: a signal ends the start, whatever the checks wait for.
        threading.Thread(target=self._check, daemon=True).start()
        await self._is_over.wait()
        if self._exception is not None:
            await self.stop()
        elif not self._stopping:
            self._is_checked = True
            tell_checked(self._folder, has_identities=self._has_identities)

    def _check(self) -> None:
        try:
            self._has_identities = self._prepare()
        except BaseException as error:  # noqa: BLE001 - circus raises it where the start ends
            self._exception = error
        with suppress(RuntimeError):  # the loop is closed: a signal has ended the start
            self.loop.asyncio_loop.call_soon_threadsafe(self._is_over.set)

    def reload(self, graceful: bool = True, sequential: bool = False) -> asyncio.Future[None]:  # noqa: ARG002 - circus's signature
        """Restart the workers one by one; circus calls it on SIGHUP."""
        self._since = time.time()
        if not self._is_rolling:
            self._rolling = asyncio.ensure_future(self._roll())
        return self._rolling  # type: ignore[return-value]

    def manage_watchers(self) -> Any:
        """Look after the workers, unless something else is done with them; circus calls it now and then."""
        self._forget_the_dead()
        is_busy = self._is_rolling or self._exclusive_running_command is not None
        return None if is_busy else super().manage_watchers()

    def stop(self) -> Any:
        """Stop, whatever else is going on: circus would refuse, and the signal be lost."""
        self._exclusive_running_command = None
        self._is_over.set()
        if not self._is_checked:
            for watcher in self._services:
                watcher.stop_signal = signal.SIGKILL  # they wait for the checks, and hold nothing
        return super().stop()

    @property
    def _is_rolling(self) -> bool:
        return self._rolling is not None and not self._rolling.done()

    async def _roll(self) -> None:
        for watcher in self._services:
            while not self._stopping and self._has_old(watcher):
                if not await self._renew(watcher):
                    logger.error("restart given up: a new worker does not serve; the others go on")
                    return
        logger.info("all workers have been restarted")

    def _has_old(self, watcher: Any) -> bool:
        return any(process.started < self._since for process in watcher.processes.values())

    async def _renew(self, watcher: Any) -> bool:
        """Start one more worker and, once it serves, end the oldest; return whether it does."""
        self._forget_the_dead()
        watcher.spawn_process()
        new = max(watcher.processes.values(), key=_started)
        is_ready = await self._is_ready(new)
        if not is_ready:
            await watcher.kill_process(new)
        if not self._stopping:
            await watcher.manage_processes()  # of one too many, it ends the oldest
        return is_ready

    def _forget_the_dead(self) -> None:
        """Remove the marks of workers that are no more.

        Before circus forgets them: it starts others then, which may serve before it comes by again.
        """
        processes = (process for watcher in self._services for process in watcher.processes.values())
        alive = {str(process.pid) for process in processes if process.status not in _DEAD}
        for mark in self._folder.glob(SERVING):
            if mark.name not in alive:
                mark.unlink(missing_ok=True)

    async def _is_ready(self, worker: Any) -> bool:
        mark, end = self._folder / str(worker.pid), time.monotonic() + PATIENCE
        while not mark.exists():
            if self._stopping or not worker.is_alive() or time.monotonic() > end:
                return False
            await asyncio.sleep(0.1)
        return True


def _started(process: Any) -> float:
    started: float = process.started
    return started
