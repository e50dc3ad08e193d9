"""The wheel, and an environment that has it, and what serving needs: nothing that trains."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.servers import PROJECT, environment

# To be somebody else, who may read the tests' Python wherever it is, and write only what is theirs.
NOBODY = (
    "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
)  # fmt: skip


def build_wheel(model: str, folder: Path) -> Path:
    """Build the wheel, with a model of the tests' store as its sample, and return it."""
    command = [sys.executable, "scripts/build_wheel.py", "--model", model, "--out", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Installation:
    """The wheel in a virtual environment of its own, for a user whose home is `home`."""

    environment: Path
    home: Path

    def run(self, *command: str, cwd: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment in a folder."""
        return subprocess.run(
            self.command(*command), cwd=cwd, env=self.env(**settings), capture_output=True, text=True
        )

    def command(self, program: str, *arguments: str) -> Sequence[str]:
        """Return the command for a program of the environment."""
        return [str(self.environment / "bin" / program), *arguments]

    def env(self, **settings: str) -> dict[str, str]:
        """Return the variables that a new user has, and some settings."""
        dropped = ("BENTOML_HOME", "CHURN_ENV_FILE", "PYTHONPATH", "VIRTUAL_ENV")
        inherited = {
            name: value
            for name, value in environment().items()
            if name not in dropped and not name.startswith("XDG_")
        }
        return {**inherited, "HOME": str(self.home), **settings}


def install(wheel: Path, folder: Path) -> Installation:
    """Install a wheel with the locked packages of serving, from uv's cache alone."""
    uv = [sys.executable, "-m", "uv"]
    place = folder / "environment"
    options = ("--quiet", "--offline")
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(place)}
    locked = ("--frozen", "--no-dev", "--no-install-project", "--python", sys.executable)
    subprocess.run([*uv, "sync", *options, *locked], cwd=PROJECT, env=env, check=True)
    into = ("--no-deps", "--python", str(place / "bin" / "python"))
    subprocess.run([*uv, "pip", "install", *options, *into, str(wheel)], cwd=PROJECT, check=True)
    (folder / "home").mkdir()
    return Installation(place, folder / "home")
