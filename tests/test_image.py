"""`make image` and `make rehearse`: what they are made from, and what they say where something is missing.

What the image does is rehearsed (`make rehearse`), which takes a Docker engine.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from harness.servers import PROJECT, environment
from scripts.image import unpack

RECIPE = PROJECT / "deploy" / "image"


@pytest.fixture
def bento(tmp_path: Path) -> Path:
    """Return the archive of something like a Bento."""
    (tmp_path / "env" / "python").mkdir(parents=True)
    (tmp_path / "env" / "python" / "requirements.txt").write_text("bentoml")
    with tarfile.open(archive := tmp_path / "churn.tar.gz", "w:gz") as file:
        file.add(tmp_path / "env", "env")
    return archive


def run(module: str, *options: str, **changes: str) -> tuple[int, str]:
    """Return the exit code of a script, and what it said."""
    command = [sys.executable, "-m", f"scripts.{module}", *options]
    env = environment(DOCKER_HOST="unix:///nowhere/docker.sock") | changes
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_its_base_is_pinned_and_its_packages_are_wheels_with_digests() -> None:
    recipe = (RECIPE / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^ARG BASE=(.*)$", recipe, re.MULTILINE) == re.findall(
        r"python:3\.13-slim@sha256:[0-9a-f]{64}", recipe
    )
    installs = recipe.count("install --no-cache-dir")
    assert installs == recipe.count("--only-binary :all:") == recipe.count("--require-hashes") == 2
    assert set(re.findall(r"^FROM (\S+)", recipe, re.MULTILINE)) == {"${BASE}", "build", "ui-${UI}"}


@pytest.mark.parametrize("ui", [False, True])
def test_it_is_built_from_the_locked_packages(bento: Path, tmp_path: Path, ui: bool) -> None:
    unpack(bento, folder := tmp_path / "context", ui=ui)
    places = {"requirements.txt": "bentoml", "requirements-ui.txt": "gradio"}
    found = {path.name for path in (folder / "env" / "python").iterdir()}
    assert found == (set(places) if ui else {"requirements.txt"})
    for name in found:
        text = (folder / "env" / "python" / name).read_text(encoding="utf-8")
        packages = re.findall(r"^[a-z0-9-]+==[^ ]+", text, re.MULTILINE)
        assert places[name] in {package.partition("==")[0] for package in packages}
        assert len(re.findall(r"^[a-z0-9-]+==[^ ]+.*\\$", text, re.MULTILINE)) == len(packages)
    assert "gradio" not in (folder / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    assert f"ARG UI={'with' if ui else 'without'}\n" in (folder / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", ["image", "rehearse"])
def test_without_docker_a_sentence_says_so(module: str, tmp_path: Path) -> None:
    options = ("--sbom", str(tmp_path / "x")) if module == "image" else ("--engine", "/nowhere")
    code, said = run(module, *options, PATH=str(tmp_path))
    assert (code, said.count("\n")) == (1, 1), said
    assert said.startswith(f"{module}: ")
    assert "ocker" in said


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no client of Docker's")
@pytest.mark.parametrize("module", ["image", "rehearse"])
def test_without_an_engine_a_sentence_says_so(module: str, tmp_path: Path) -> None:
    options = ("--sbom", str(tmp_path / "x")) if module == "image" else ("--engine", "/nowhere")
    code, said = run(module, *options)
    assert (code, said.count("\n")) == (1, 1), said
    assert said.startswith(f"{module}: no Docker engine answers: start it, or ")


def test_without_a_model_nothing_is_built(tmp_path: Path) -> None:
    env = environment(BENTOML_HOME=str(tmp_path), PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    env.pop("MAKEFLAGS", None)
    # What installs is there already; all else is as `make image` has it.
    command = ["make", "image", "PYTHON=true", "UV=true", "RUN=env", f"TAG=churn:{tmp_path.name}"]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.startswith("bundle: no model in the store")
