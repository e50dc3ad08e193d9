"""A real `bentoml serve` in a process of its own, for tests and benchmarks."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from churn.core.secret_files import NAMES

PROJECT = Path(__file__).parents[1]
LISTENING = "Starting production HTTP BentoServer"
# The modules that supervisors start, once a worker: ours, and BentoML's.
WORKERS = frozenset({"churn.web.server.worker", "_bentoml_impl.worker.service"})
PATIENCE = 120  # seconds that a start may take on a busy machine


class Process:
    """A server process; its output is read as it comes."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        self._process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def await_output(self, text: str, patience: float = PATIENCE) -> None:
        """Wait until it has printed a text, at most `patience` seconds; fail where it ends without."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended or text in self.output, patience), self.output
        assert text in self.output, self.output

    @property
    def output(self) -> str:
        """Return what it has printed so far."""
        return "".join(self._lines)

    def await_ready(self, url: str, patience: float = PATIENCE) -> float:
        """Return the seconds until it was ready; its socket queues callers while the worker starts."""
        started = time.monotonic()
        self.await_output(LISTENING, patience)
        response = httpx.get(f"{url}/readyz", timeout=PATIENCE)
        assert response.status_code == 200, self.output
        return time.monotonic() - started

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def send(self, number: int) -> None:
        """Send a signal to it, and not to its workers."""
        self._process.send_signal(number)

    def listens_on(self) -> set[tuple[str, int]]:
        """Return the addresses that it or a worker listens on, by TCP or UDP."""
        everyone = (psutil.Process(self._process.pid), *self.children())
        calls = [call for one in everyone for call in one.net_connections("inet")]
        return {tuple(call.laddr) for call in calls if call.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)}

    def children(self) -> list[psutil.Process]:
        """Return the processes that it has started, and theirs."""
        found: list[psutil.Process] = psutil.Process(self._process.pid).children(recursive=True)
        return found

    def workers(self) -> list[psutil.Process]:
        """Return the workers' processes, old and new."""
        found = []
        for child in self.children():
            with suppress(psutil.NoSuchProcess):  # a zombie, too
                if WORKERS & set(child.cmdline()):
                    found.append(child)
        return found

    def kill(self) -> None:
        """Kill it with all its workers, as a machine that loses power; returns when all are gone."""
        supervisor = psutil.Process(self._process.pid)
        supervisor.suspend()  # so that it starts no other worker meanwhile
        # A kill of the process group would spare the workers: each has a session of its own.
        for process in (*self.children(), supervisor):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)  # the last of them closes their common output

    def stop(self) -> int:
        """Ask it to stop, by its process id, and return its exit code."""
        self._process.terminate()
        try:
            code = self._process.wait(PATIENCE)
        finally:
            self._process.kill()
        self._reader.join(PATIENCE)
        if self._process.stdout:
            self._process.stdout.close()
        return code


def resident(process: psutil.Process) -> int:
    """Return the bytes of memory that a process and all below it hold."""
    held: int = process.memory_info().rss
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            held += child.memory_info().rss
    return held


@dataclass(frozen=True)
class Server:
    """A server that is ready: where it listens, and its process."""

    url: str
    process: Process


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without settings of ours, and with changes."""
    kept = {name: value for name, value in os.environ.items() if not is_setting(name)}
    kept.pop("PROMETHEUS_MULTIPROC_DIR", None)
    return {**kept, "BENTOML_DO_NOT_TRACK": "True", **changes}


def is_setting(variable: str) -> bool:
    """Return whether a variable of the environment is a setting of ours; the tests' own are none."""
    if variable.startswith("CHURN_"):
        return variable not in ("CHURN_ENV_FILE", "CHURN_REAL_DATA")
    return variable == "PORT" or variable.removesuffix("_FILE") in NAMES


def home_beside(store: Path, folder: Path) -> Path:
    """Return a new BENTOML_HOME in a folder, with the models of another one and nothing else of it."""
    home = folder / "home"
    shutil.copytree(store / "models", home / "models")
    return home


class Mortal:
    """A `bentoml serve` that may be killed and started again, each time on the same port.

    What it prints is that of its newest process.
    """

    def __init__(
        self, env: Mapping[str, str], target: str = "service:Churn", within: Sequence[str] = ()
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        # `within` is a command that runs the one that follows it.
        self._command = [*within, sys.executable, "-m", "bentoml", "serve", target]
        self._command += ["--host", "127.0.0.1", "--port", str(port)]
        # In a container BentoML's supervisor leaves it to others to replace a worker.
        self._env = {name: value for name, value in env.items() if name != "BENTOML_CONTAINERIZED"}
        self.process: Process

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def start(self) -> None:
        """Start a process and wait until it answers, ready or not."""
        self.process = Process(self._command, self._env, PROJECT)
        try:
            self.process.await_output(LISTENING)
            httpx.get(f"{self.url}/livez", timeout=PATIENCE).raise_for_status()
        except BaseException:
            self.process.stop()
            raise

    def stop(self) -> None:
        """Ask it to stop, and wait for it."""
        self.process.stop()

    def kill(self) -> None:
        """Kill it with all its workers."""
        self.process.kill()
        self.process.stop()

    def workers(self) -> list[int]:
        """Return the ids of the processes that have callers; not of BentoML's supervisor, their parent."""
        return [child.pid for child in self.process.children() if self._has_callers(child)]

    def _has_callers(self, process: psutil.Process) -> bool:
        try:
            calls = process.net_connections("tcp")
            return bool(WORKERS & set(process.cmdline())) and any(
                call.status == psutil.CONN_ESTABLISHED and call.laddr.port == self._port for call in calls
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # a zombie's files are root's alone to look at
            return False

    def await_workers(self, count: int) -> None:
        """Wait until some workers have callers: a new one has none at first."""
        wait_until(lambda: len(self.workers()) == count, lambda: self.process.output)

    def kill_worker(self, choose: Callable[[list[int]], int]) -> None:
        """Kill one of the workers that have callers; BentoML's supervisor starts another."""
        os.kill(choose(self.workers()), signal.SIGKILL)

    def ready(self) -> dict[str, Any]:
        """Return what `/readyz` says, with its status as `code`."""
        response = httpx.get(f"{self.url}/readyz", timeout=PATIENCE)
        return {**response.json(), "code": response.status_code}

    def await_ready(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return what `/readyz` says, once that is as asked for."""
        found: dict[str, Any] = {}

        def look() -> bool:
            found.update(self.ready())
            return is_so(found)

        wait_until(look, lambda: f"{found}\n{self.process.output}")
        return found


def wait_until(is_so: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Wait for what sends no event; fail, with what is told then, where it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)


@contextmanager
def serving(
    command: Sequence[str], env: Mapping[str, str], url: str, cwd: Path = PROJECT
) -> Iterator[Server]:
    """Yield a server once it is ready; it is stopped afterwards."""
    process = Process(command, env, cwd)
    try:
        process.await_ready(url)
        yield Server(url, process)
    finally:
        process.stop()


@contextmanager
def bentoml_serve(
    env: Mapping[str, str],
    target: str = "service:Churn",
    cwd: Path = PROJECT,
    python: str = sys.executable,
) -> Iterator[Server]:
    """Yield a real `bentoml serve` on a free port of 127.0.0.1."""
    port = free_port()
    command = [python, "-m", "bentoml", "serve", target, "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, env, f"http://127.0.0.1:{port}", cwd) as server:
        yield server
