"""Rehearse a Space for real: deployed to a hub of our own, cloned from there, built and run as uid 1000.

python -m scripts.rehearse_space [--engine TOOL]

The hub is the one of the tests, whose repositories are real git. It says that the Space runs once a
container, built from a clone of that repository alone, is ready. Then the container makes way for another one
on an empty disk, to which the history comes back from the mirror. The last line is JSON, in seconds.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from harness import containers
from harness.containers import Container
from harness.hub import OWNER, Hub
from harness.hub_server import hub_at
from harness.servers import PATIENCE, PROJECT, environment, wait_until
from harness.trained import train
from scripts.image import STANDIN, base

NAME = f"{OWNER}/churn"
IMAGE = "churn:space-rehearsed"
_AS_USER = ("--user", "1000")


class RehearsalError(Exception):
    """Something is not as a Space needs it."""


def written(scratch: Path) -> Path:
    """Write a Space with a model of the sample, as `make space` does, and return its folder."""
    home, bento, folder = scratch / "home", str(scratch / "churn.tar.gz"), scratch / "space"
    train(home)
    env = environment(BENTOML_HOME=str(home), CHURN_ENV_FILE=os.devnull)
    for command in (["bundle", "--out", bento], ["space", "--bento", bento, "--out", str(folder)]):
        module, *options = command
        subprocess.run(
            [sys.executable, "-m", f"scripts.{module}", *options], cwd=PROJECT, env=env, check=True
        )
    return folder


def rehearse(scratch: Path) -> dict[str, float]:
    """Deploy a Space, be what runs it, and restart it on an empty disk; return how long each step took.

    Raises:
        RehearsalError: it was not deployed, or its history did not come back.
    """
    folder, token = written(scratch), secrets.token_urlsafe(32)
    with hub_at(scratch / "hub", secrets.token_urlsafe(32)) as hub:
        seconds, settings = _deployed(hub, folder, scratch / "clone", token)
        with Container(IMAGE, *_AS_USER, env=settings, hardened=False) as container:
            seconds["ready again"] = container.await_ready()
            headers = {"Authorization": f"Bearer {token}"}
            history = httpx.get(f"{container.url}/history", headers=headers, timeout=PATIENCE).json()
    if len(history["predictions"]) != 1:
        raise RehearsalError("the prediction of the smoke test is not in the history after a restart")
    return {name: round(elapsed, 1) for name, elapsed in seconds.items()}


def _deployed(hub: Hub, folder: Path, clone: Path, token: str) -> tuple[dict[str, float], dict[str, str]]:
    """Deploy a folder; return the seconds until each step, and the settings of the Space."""
    hub.builds = [["BUILDING"]]
    of_hub = {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1"}
    mirrored = {"CHURN_HF_DATASET": f"{OWNER}/journal", "CHURN_HF_TOKEN": hub.token}
    env = environment(API_TOKEN=token, CHURN_ENV_FILE=os.devnull, **of_hub, **mirrored)
    command = [sys.executable, "-m", "churn.cli.main", "deploy", "space", NAME, "--from", str(folder)]
    began, seconds = time.monotonic(), {}
    with subprocess.Popen(command, cwd=PROJECT, env=env) as deploying:
        wait_until(lambda: deploying.poll() is not None or _has_commit(hub))
        seconds["committed"] = time.monotonic() - began
        _build(hub, clone)
        seconds["built"] = time.monotonic() - began
        of_space = {**hub.space().secrets, **hub.space().variables}
        settings = {**of_space, "SPACE_ID": NAME, "HF_ENDPOINT": hub.url}
        with Container(IMAGE, *_AS_USER, env=settings, hardened=False) as container:
            container.await_ready()
            seconds["ready"] = time.monotonic() - began
            hub.host = container.url
            hub.space().stages = ["APP_STARTING", "RUNNING"]
            if deploying.wait():
                raise RehearsalError(f"the Space was not deployed:\n{container.logs()}")
            seconds["deployed"] = time.monotonic() - began
            container.stop()
    return seconds, settings


def _has_commit(hub: Hub) -> bool:
    return bool(hub.repositories) and len(hub.space().titles()) > 1


def _build(hub: Hub, clone: Path) -> None:
    """Build the image of a Space from a clone of its repository, and nothing else."""
    subprocess.run(["git", "clone", "-q", str(hub.space().folder), str(clone)], check=True)  # noqa: S607
    standin = base()
    arguments = ["--build-arg", f"BASE={STANDIN}"] if standin else []
    containers.docker("build", "--tag", IMAGE, *arguments, str(clone))


def main() -> int:
    """Rehearse, and print how long each step took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", type=Path, default=containers.ENGINE, metavar="TOOL")
    options = parser.parse_args()
    if not containers.bring_up(options.engine):
        print("rehearse: no Docker engine answers: start it, or set DOCKER_HOST", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        try:
            print(json.dumps(rehearse(Path(name))))
        except RehearsalError as error:
            print(f"rehearse: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
