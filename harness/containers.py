"""Containers of the service, for rehearsals and tests: run as a Space or a server runs them, and watched."""

import http.client
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from harness.servers import PATIENCE, PROJECT, free_port, wait_until

# What a careful operator gives a container: no root, no writable disk, no rights.
HARDENED = (
    "--read-only", "--tmpfs", "/tmp:mode=1777,size=2g", "--cap-drop", "ALL",  # noqa: S108 - in it
    "--security-opt", "no-new-privileges",
)  # fmt: skip
STOP_TIMEOUT = 60  # seconds that `docker stop` waits before it kills
ENGINE = PROJECT.parent / "shared" / "tools" / "local-engine.sh"


def docker(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run the engine's client."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    assert done.returncode == 0 or not check, f"docker {arguments[0]}: {done.stdout}{done.stderr}"
    return done


def answers() -> bool:
    """Return whether there is a client, and an engine that answers it."""
    return shutil.which("docker") is not None and docker("version", check=False).returncode == 0


def bring_up(tool: Path) -> bool:
    """Have an engine: the one that answers, or one that a tool starts; return whether there is one.

    The tool has the subcommands `up`, `base VERSION`, which makes a stand-in for Python's image where no
    registry is reached, and `env`, which prints what a shell has to export.
    """
    if not tool.is_file():
        return answers()
    if not answers():
        subprocess.run([tool, "up"], check=True)
    subprocess.run([tool, "base", "3.13"], check=True)
    printed = subprocess.run(
        ["bash", "-c", f'eval "$({tool} env)" && env -0'], check=True, capture_output=True, text=True
    ).stdout
    changed = dict(line.partition("=")[::2] for line in printed.split("\0") if line)
    os.environ.update({name: changed[name] for name in changed if name in ("PATH", "DOCKER_HOST")})
    os.environ["DOCKER_BUILDKIT"] = changed.get("DOCKER_BUILDKIT", "1")
    return answers()


class Container:
    """A container of the service on a free port of this machine; removed at the end of the `with` block.

    It is in the machine's own network, where a database on 127.0.0.1 is reached.
    """

    def __init__(
        self,
        image: str,
        *options: str,
        command: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        hardened: bool = True,
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.name = f"churn-{secrets.token_hex(4)}"
        self.image, self._options, self._command = image, options, command
        self._env = {"PORT": str(port), "CHURN_HOST": "127.0.0.1", **(env or {})}
        self._hardened = hardened
        self.started = self._looked = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        docker("rm", "--force", "--volumes", self.name)

    def start(self) -> None:
        """Start it; it is not awaited."""
        settings = [part for name, value in self._env.items() for part in ("--env", f"{name}={value}")]
        hardened = HARDENED if self._hardened else ()
        self.started = self._looked = time.monotonic()
        docker(
            "run", "--detach", "--network", "host", "--name", self.name, *hardened, *settings, *self._options,
            self.image, *self._command,
        )  # fmt: skip

    def await_ready(self) -> float:
        """Wait until it is ready, and return after how many seconds of its start it was."""
        wait_until(self._is_ready, self.logs)
        return time.monotonic() - self.started

    def _is_ready(self) -> bool:
        # httpx reads all certificates for each call, and the engine's client takes as long: the machine has a
        # service to start.
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except ConnectionError:
            if time.monotonic() - self._looked > 1:
                self._looked = time.monotonic()
                assert self.state["Running"], self.logs()
            return False
        finally:
            connection.close()

    def await_end(self) -> int:
        """Wait until it has ended, and return its exit code."""
        return int(docker("wait", self.name).stdout)

    @property
    def state(self) -> dict[str, Any]:
        """What the engine knows of it."""
        state: dict[str, Any] = json.loads(docker("inspect", self.name).stdout)[0]["State"]
        return state

    @property
    def health(self) -> str:
        """What the image's own health check has found: starting, healthy or unhealthy."""
        return str(self.state["Health"]["Status"])

    def logs(self) -> str:
        """Return everything that it has printed."""
        done = docker("logs", self.name)
        return done.stdout + done.stderr

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command in it."""
        return docker("exec", self.name, *command, check=check)

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        docker("stop", "--time", str(STOP_TIMEOUT), self.name)
        return int(self.state["ExitCode"])

    def restart(self) -> None:
        """Start it again after it has ended or was killed."""
        self.started = self._looked = time.monotonic()
        docker("start", self.name)

    def kill(self) -> None:
        """Kill it with all that runs in it, like a power cut."""
        docker("kill", self.name)

    def workers(self) -> list[int]:
        """Return its workers' process ids, as this machine has them."""
        lines = docker("top", self.name, "-eo", "pid,args").stdout.splitlines()[1:]
        return [int(line.split()[0]) for line in lines if "churn.web.server.worker" in line]

    def memory(self) -> int:
        """Return the bytes of memory that its processes hold for themselves, without the disk's cache."""
        [line] = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", self.name).stdout.splitlines()
        return _bytes(line.partition("/")[0].strip())


def _bytes(text: str) -> int:
    for unit, factor in (("KiB", 2**10), ("MiB", 2**20), ("GiB", 2**30), ("B", 1)):
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * factor)
    raise ValueError(text)


def is_there(image: str) -> bool:
    """Return whether the engine has an image."""
    return docker("image", "inspect", image, check=False).returncode == 0


def size(image: str) -> int:
    """Return the bytes of an image."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout)
