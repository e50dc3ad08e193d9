"""A real `bentoml serve` in a process of its own, for tests and benchmarks."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PROJECT = Path(__file__).parents[1]
LISTENING = "Starting production HTTP BentoServer"
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

    def await_output(self, text: str) -> None:
        """Wait until it has printed a text; fail where it ends without."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended or text in self.output, PATIENCE), self.output
        assert text in self.output, self.output

    @property
    def output(self) -> str:
        """Return what it has printed so far."""
        return "".join(self._lines)

    def await_ready(self, url: str) -> float:
        """Return the seconds until it was ready; its socket queues callers while the worker starts."""
        started = time.monotonic()
        self.await_output(LISTENING)
        response = httpx.get(f"{url}/readyz", timeout=PATIENCE)
        assert response.status_code == 200, self.output
        return time.monotonic() - started

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
    ours = ("DATABASE_URL", "API_USERNAME", "API_PASSWORD", "API_TOKEN", "PORT", "PROMETHEUS_MULTIPROC_DIR")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "BENTOML_DO_NOT_TRACK": "1", **changes}


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
    env: Mapping[str, str], target: str = "service:Churn", cwd: Path = PROJECT
) -> Iterator[Server]:
    """Yield a real `bentoml serve` on a free port of 127.0.0.1."""
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", target, "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, env, f"http://127.0.0.1:{port}", cwd) as server:
        yield server
