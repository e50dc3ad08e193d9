"""Rehearse the container image for real: as a Space, as a server, upgraded, killed, stopped and restored.

python -m scripts.rehearse [--image TAG] [--beside IMAGE-OR-CHECKOUT] [--engine TOOL] [--ui] [--short]

Without an engine that answers, the tool is asked for one. Without an image, one is built with a model of the
sample. `--beside` is an older image, from which this one is upgraded, and by whose start its own is measured;
of a checkout, it is the image that BentoML makes. The last line is one JSON object; the exit code is 1 where
something fails or a bar is missed.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from harness import containers, rehearsal, replicas
from harness.rehearsal import Caller, Figures
from harness.servers import PROJECT, environment
from harness.trained import train

ROUNDS, SHORT_ROUNDS = 5, 1
MB, MIB = 1e6, 2**20
SIZE, SIZE_WITH_UI = 330, 450  # MB
WORKER = 170  # MiB
START = 0.5  # of the older image's start
STOP = containers.STOP_TIMEOUT  # seconds
REPLACED = 15  # seconds

# What make and uv have told this process of this checkout, and other checkouts must not hear.
_OURS = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV", "UV")


class Bar(NamedTuple):
    """A figure, and the most that it may be."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def is_met(self) -> bool:
        """Whether it is no more than it may be."""
        return self.value <= self.most


def built(scratch: Path, *, ui: bool) -> str:
    """Build the image of this checkout with a model of the sample, and return its tag."""
    tag, bento = "churn:rehearsed", str(scratch / "churn.tar.gz")
    train(scratch / "home")
    env = environment(BENTOML_HOME=str(scratch / "home"), CHURN_ENV_FILE=os.devnull)
    bundle = ["scripts.bundle", "--out", bento]
    image = ["scripts.image", "--bento", bento, "--tag", tag, "--sbom", str(scratch / "sbom.json")]
    for command in (bundle, [*image, *(["--ui"] if ui else [])]):
        subprocess.run([sys.executable, "-m", *command], cwd=PROJECT, env=env, check=True)
    return tag


def built_by_bentoml(checkout: Path, scratch: Path) -> str:
    """Build the image of a checkout as BentoML does, and return its tag."""
    tag, context = "churn:beside", scratch / "beside"
    context.mkdir()
    env = environment(BENTOML_HOME=str(scratch / "beside-home"), CHURN_ENV_FILE=os.devnull)
    env = {name: value for name, value in env.items() if name not in _OURS}
    # What they print may hold the password of a first user.
    quiet: dict[str, Any] = {"cwd": checkout, "env": env, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["make", "install"], **quiet)  # noqa: S607
    subprocess.run([checkout / ".venv" / "bin" / "churn", "setup"], **quiet)
    subprocess.run(["make", "bundle"], **quiet)  # noqa: S607
    subprocess.run(["tar", "-xzf", checkout / "dist" / "churn.tar.gz", "-C", context], check=True)  # noqa: S607
    subprocess.run(["chmod", "-R", "a+rX", context], check=True)  # noqa: S607
    user = [part for name in ("UID", "GID") for part in ("--build-arg", f"BENTO_USER_{name}={rehearsal.UID}")]
    containers.docker("build", "-f", f"{context}/env/docker/Dockerfile", "-t", tag, *user, str(context))
    return tag


def rehearse(image: str, older: str, rounds: int, console: Console) -> Figures:
    """Go through all steps, and return their figures."""
    caller = Caller(secrets.token_urlsafe(32))
    figures: Figures = {"image": image, "beside": older, "size": containers.size(image)}
    steps: dict[str, Callable[[], Figures]] = {
        "starts": partial(rehearsal.starts, [older, image], caller, rounds),
        "contents": partial(rehearsal.contents, image, caller),
        "everything": partial(rehearsal.everything, image, caller),
        "space": partial(rehearsal.as_a_space, image, caller, short=rounds == SHORT_ROUNDS),
        "kept": partial(rehearsal.kept, image, caller),
        "server": partial(replicas.as_a_server, image, older, caller),
    }
    for name, step in steps.items():
        began = time.monotonic()
        figures[name] = step()
        console.print(f"{name}: done in {time.monotonic() - began:.0f} s")
    return figures


def is_beside(figures: Figures) -> bool:
    """Return whether the figures are of two images."""
    return bool(figures["beside"] != figures["image"])


def bars(figures: Figures, *, ui: bool) -> Iterator[Bar]:
    """Yield the figures that have a limit."""
    old, new = figures["starts"]["ready"]
    server = figures["server"]
    yield Bar("image", figures["size"] / MB, SIZE_WITH_UI if ui else SIZE, "MB")
    yield Bar("one worker", figures["starts"]["memory"][figures["image"]] / MIB, WORKER, "MiB")
    if is_beside(figures):
        yield Bar("ready, beside the older image", new / old, START, "×")
    yield Bar("a killed worker is replaced", server["worker_replaced"], REPLACED, "s")
    yield Bar("stopped with a batch in flight", server["stopped_after"], STOP, "s")
    yield Bar("calls refused during the upgrade", server["upgrade_refused"], 0, "")
    yield Bar("calls cut during the upgrade", server["upgrade_cut"], 0, "")
    yield Bar("answers that are not in the journal", sum(server["faults"].values()), 0, "")
    yield Bar("rows that are not as they were sealed", server["unverified"], 0, "")


def tabulated(figures: Figures, limits: list[Bar]) -> Table:
    """Return the figures as people read them."""
    table = Table("", "figure", "at most", "")
    for bar in limits:
        mark = "" if bar.is_met else "missed"
        table.add_row(bar.name, f"{bar.value:.4g} {bar.unit}", f"{bar.most:g} {bar.unit}", mark)
    seconds = {
        "ready": figures["starts"]["ready"][1],
        **({"ready, the older image": figures["starts"]["ready"][0]} if is_beside(figures) else {}),
        "ready again after a kill": figures["kept"]["restarted"],
        "ready again after a kill, on PostgreSQL": figures["server"]["container_back"],
        **{f"ready as a Space, {name}": value for name, value in figures["space"].items()},
    }
    for name, value in seconds.items():
        table.add_row(name, f"{value:.1f} s", "", "")
    table.add_row("predictions answered on PostgreSQL", f"{figures['server']['answered']}", "", "")
    table.add_row("predictions after restoring a backup", f"{figures['kept']['restored']}", "", "")
    return table


def main() -> int:
    """Rehearse, and print a table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--image", help="by default, one is built")
    parser.add_argument("--beside", metavar="IMAGE-OR-CHECKOUT", help="an older one; by default, the same")
    parser.add_argument("--engine", type=Path, default=containers.ENGINE, metavar="TOOL")
    parser.add_argument("--ui", action="store_true", help="the image has Gradio's page")
    parser.add_argument("--short", action="store_true", help="fewer starts, to see that it holds")
    options = parser.parse_args()
    if not containers.bring_up(options.engine):
        print("rehearse: no Docker engine answers: start it, or set DOCKER_HOST", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        try:
            image = options.image or built(Path(name), ui=options.ui)
            beside = options.beside or image
            if Path(beside).is_dir():
                beside = built_by_bentoml(Path(beside), Path(name))
        except subprocess.CalledProcessError:  # what failed has said why
            return 1
    if missing := [tag for tag in (image, beside) if not containers.is_there(tag)]:
        print(f"rehearse: there is no image {missing[0]}: build it with `make image TAG=`", file=sys.stderr)
        return 1
    rounds = SHORT_ROUNDS if options.short else ROUNDS
    figures = rehearse(image, beside, rounds, console := Console())
    limits = list(bars(figures, ui=options.ui))
    console.print(tabulated(figures, limits))
    print(json.dumps(figures))
    return 0 if all(bar.is_met for bar in limits) else 1


if __name__ == "__main__":
    sys.exit(main())
