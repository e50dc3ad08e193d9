"""A real `bentoml serve` in its own process, for tests and benchmarks."""

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
# The modules that supervisors start for each worker: ours, and BentoML's.
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
        """Wait until the server has printed a text; fail after `patience` seconds or if it ends."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended or text in self.output, patience), self.output
        assert text in self.output, self.output

    @property
    def output(self) -> str:
        """Everything that the server has printed so far."""
        return "".join(self._lines)

    def await_ready(self, url: str, patience: float = PATIENCE) -> float:
        """Wait until the server is ready, and return how many seconds that took."""
        started = time.monotonic()
        self.await_output(LISTENING, patience)
        response = httpx.get(f"{url}/readyz", timeout=PATIENCE)  # queued while the worker starts
        assert response.status_code == 200, self.output
        return time.monotonic() - started

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, number: int) -> None:
        """Send a signal to the process, and not to its workers."""
        self._process.send_signal(number)

    def listens_on(self) -> set[tuple[str, int]]:
        """Return the addresses that the process or a worker listens on, by TCP or UDP."""
        processes = (psutil.Process(self._process.pid), *self.children())
        endpoints = [endpoint for process in processes for endpoint in process.net_connections("inet")]
        listening = (psutil.CONN_LISTEN, psutil.CONN_NONE)
        return {tuple(endpoint.laddr) for endpoint in endpoints if endpoint.status in listening}

    def children(self) -> list[psutil.Process]:
        """Return the process's children and their children."""
        children: list[psutil.Process] = psutil.Process(self._process.pid).children(recursive=True)
        return children

    def workers(self) -> list[psutil.Process]:
        """Return the workers' processes, old and new."""
        workers = []
        for child in self.children():
            with suppress(psutil.NoSuchProcess):  # also for a zombie
                if WORKERS & set(child.cmdline()):
                    workers.append(child)
        return workers

    def kill(self) -> None:
        """Kill the process with all its workers, like a power cut; returns when all are gone."""
        supervisor = psutil.Process(self._process.pid)
        supervisor.suspend()  # so that it does not start another worker
        # Killing the process group would spare the workers: each has its own session.
        for process in (*self.children(), supervisor):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)  # the last one closes their common output

    def stop(self) -> int:
        """Ask the process to stop, and return its exit code."""
        self._process.terminate()
        try:
            code = self._process.wait(PATIENCE)
        finally:
            self._process.kill()
        self._reader.join(PATIENCE)
        assert not self._reader.is_alive(), "a process of the server is still there\n" + self.output
        if self._process.stdout:
            self._process.stdout.close()
        return code


def resident(process: psutil.Process) -> int:
    """Return the resident memory of a process and all its descendants, in bytes."""
    memory: int = process.memory_info().rss
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            memory += child.memory_info().rss
    return memory


@dataclass(frozen=True)
class Server:
    """A server that is ready: its URL and its process."""

    url: str
    process: Process


def free_port() -> int:
    """Return a local port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without our settings, and with changes."""
    inherited = {name: value for name, value in os.environ.items() if not is_setting(name)}
    # What `make test` says to a make below it: to name its folder on standard output, for one.
    for name in ("PROMETHEUS_MULTIPROC_DIR", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        inherited.pop(name, None)
    # Gradio takes seconds of every start.
    return {**inherited, "BENTOML_DO_NOT_TRACK": "True", "CHURN_UI": "false", **changes}


def is_setting(variable: str) -> bool:
    """Return whether a variable of the environment is a setting of ours, and not of the tests."""
    if variable.startswith("CHURN_"):
        return variable not in ("CHURN_ENV_FILE", "CHURN_REAL_DATA")
    return variable == "PORT" or variable.removesuffix("_FILE") in NAMES


def home_beside(store: Path, folder: Path) -> Path:
    """Return a new BENTOML_HOME in a folder, with the models of another one and nothing else."""
    home = folder / "home"
    shutil.copytree(store / "models", home / "models")
    return home


class RestartableServer:
    """A `bentoml serve` that can be killed and started again on the same port.

    `process` is the newest one, with only that one's output.
    """

    def __init__(
        self, env: Mapping[str, str], target: str = "service:Churn", within: Sequence[str] = ()
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        # `within` is a command that runs the command after it.
        self._command = [*within, sys.executable, "-m", "bentoml", "serve", target]
        self._command += ["--host", "127.0.0.1", "--port", str(port)]
        self._env = env
        self.process: Process

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def start(self) -> None:
        """Start a process, and wait until it answers, ready or not."""
        self.process = Process(self._command, self._env, PROJECT)
        try:
            self.process.await_output(LISTENING)
            httpx.get(f"{self.url}/livez", timeout=PATIENCE).raise_for_status()
        except BaseException:
            self.process.stop()
            raise

    def stop(self) -> None:
        """Ask the process to stop, and wait for it."""
        self.process.stop()

    def kill(self) -> None:
        """Kill the process with all its workers."""
        self.process.kill()
        self.process.stop()

    def workers(self) -> list[int]:
        """Return the ids of the worker processes that have callers."""
        return [child.pid for child in self.process.children() if self._has_callers(child)]

    def _has_callers(self, process: psutil.Process) -> bool:
        try:
            connections = process.net_connections("tcp")
            return bool(WORKERS & set(process.cmdline())) and any(
                connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == self._port
                for connection in connections
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # only root may look at a zombie's files
            return False

    def await_workers(self, count: int) -> None:
        """Wait until so many workers have callers; a new one has none at first."""
        wait_until(lambda: len(self.workers()) == count, lambda: self.process.output)

    def kill_worker(self, choose: Callable[[list[int]], int]) -> None:
        """Kill one of the workers that have callers; BentoML's supervisor starts another."""
        os.kill(choose(self.workers()), signal.SIGKILL)

    def ready(self) -> dict[str, Any]:
        """Return the answer of `/readyz`, with its status as `code`."""
        response = httpx.get(f"{self.url}/readyz", timeout=PATIENCE)
        return {**response.json(), "code": response.status_code}

    def await_ready(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the answer of `/readyz` fulfils a condition, and return it."""
        answer: dict[str, Any] = {}

        def check() -> bool:
            answer.update(self.ready())
            return condition(answer)

        wait_until(check, lambda: f"{answer}\n{self.process.output}")
        return answer


def wait_until(condition: Callable[[], bool], message: Callable[[], str] = str) -> None:
    """Wait for a condition that sends no event; fail with a message where it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(0.05)


@contextmanager
def serving(
    command: Sequence[str], env: Mapping[str, str], url: str, cwd: Path = PROJECT
) -> Iterator[Server]:
    """Yield a server once it is ready, and stop it afterwards."""
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
