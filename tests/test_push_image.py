"""`make push-image`: what it refuses, in one sentence, before anything leaves the machine."""

import os
import subprocess
import sys

import pytest

from harness.servers import PROJECT

NOWHERE = "unix:///nowhere/docker.sock"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("registry.example/churn", ""), "'' is no version: expected three numbers"),
        (("registry.example/churn", "latest"), "'latest' is no version: expected three numbers"),
        (("", "v1.2.0"), "to where? expected the name of an image"),
        (("registry.example/churn", "v1.2.0"), "docker is not installed"),
    ],
)
def test_it_says_in_one_sentence_what_is_missing(arguments: tuple[str, str], said: str) -> None:
    command = [sys.executable, "-m", "scripts.push_image", *arguments]
    env = {**os.environ, "PATH": os.path.dirname(sys.executable), "DOCKER_HOST": NOWHERE}  # noqa: PTH120
    ran = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"push-image: {said}")
    assert len(ran.stderr.splitlines()) == 1
