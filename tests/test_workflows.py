"""What GitHub runs: words of the Makefile alone, each tried here too, and no secret for a pull request."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.servers import PROJECT, environment

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
}
# Words that need what is not here, an engine for images or GitHub itself.
UNTRIED = {"image", "publish", "rehearse"}
ON = True  # what YAML 1.1 makes of the key `on`
# Words that the tests or a person run, and not `.ci/run`: where they are tried.
TRIED_BY = {
    "bundle": "tests/test_bundle.py",
    "coverage": "tests/test_workflows.py",
    "deploy": "tests/test_space_deployment.py",  # against a stand-in of the hub
    "push-image": "tests/test_push_image.py",  # what it refuses: there is no registry
    "release-notes": "tests/test_release.py",
    "train": "tests/test_readme.py",  # by `make run`
    "space": "tests/test_space_deployment.py",
    "wheel": "tests/test_wheel.py",
}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, workflow in WORKFLOWS.items():
        for key, job in workflow["jobs"].items():
            yield name, key, job


def lines(name: str) -> list[str]:
    """Return the `run:` lines of a workflow, in its order."""
    return [
        step["run"]
        for job in WORKFLOWS[name]["jobs"].values()
        for step in job.get("steps", ())
        if "run" in step
    ]


def runs(name: str) -> list[list[str]]:
    """Return the words of each `run:` line of a workflow, without what it is redirected to."""
    return [shlex.split(line.partition(" >> ")[0]) for line in lines(name)]


def words_of(command: list[str]) -> set[str]:
    """Return what a command asks make for."""
    return {word for word in command[1:] if "=" not in word and not word.startswith("-")}


def tried() -> set[str]:
    """Return the words that `.ci/run` asks make for."""
    text = (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
    commands = re.findall(r"^make .*?(?= &|$)", text, re.MULTILINE)
    return {word for command in commands for word in words_of(shlex.split(command)) if not word.isdigit()}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clean clone of this project, without anything that was installed."""
    folder = tmp_path_factory.mktemp("clone") / "churn"
    subprocess.run(["git", "clone", "--quiet", PROJECT, folder], check=True)
    for name in ("Makefile", "scripts/coverage_summary.py"):  # as they are, committed or not
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    return folder


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_step_is_a_word_of_the_makefile_and_can_be_taken_in_a_clean_clone(
    name: str, clone: Path
) -> None:
    assert runs(name) or all("uses" in job for job in WORKFLOWS[name]["jobs"].values())
    for command in runs(name):
        assert command[0] == "make", command
        assert words_of(command), command
        planned = subprocess.run(
            [command[0], "--dry-run", *command[1:]],
            cwd=clone,
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert planned.returncode == 0, planned.stderr


@pytest.mark.parametrize("name", WORKFLOWS)
def test_each_step_is_tried_here_too(name: str) -> None:
    words = {word for command in runs(name) for word in words_of(command)}
    assert words - tried() - UNTRIED <= TRIED_BY.keys()
    for word in words - tried() - UNTRIED:
        assert (PROJECT / TRIED_BY[word]).is_file()


def test_what_is_tried_here_is_a_word_of_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert tried() | TRIED_BY.keys() | UNTRIED <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_each_job_may_little_and_ends() -> None:
    for name, key, job in jobs():
        assert WORKFLOWS[name]["permissions"] in ({}, {"contents": "read"}), name
        assert "uses" in job or job["timeout-minutes"] <= 60, (name, key)
        assert "concurrency" in WORKFLOWS[name]


def test_no_secret_is_within_reach_of_a_pull_request() -> None:
    for name, workflow in WORKFLOWS.items():
        triggers = set(workflow[ON])
        assert not triggers & {"pull_request_target", "workflow_run", "issue_comment"}, name
        if "pull_request" in triggers:
            assert "secrets" not in json.dumps(workflow["jobs"]), name
    for name, key, job in jobs():
        if "secrets." in json.dumps(job):
            assert job["environment"], (name, key)


def test_the_branches_are_those_of_gitflow() -> None:
    branches = ["develop", "feature/**", "release/**", "hotfix/**"]
    triggers = WORKFLOWS["ci"][ON]
    assert triggers["push"]["branches"] == branches
    assert triggers["pull_request"]["branches"] == ["main", *branches]


def test_what_protects_a_branch_names_the_jobs_of_ci() -> None:
    protection = json.loads((PROJECT / ".github" / "branch-protection.json").read_text(encoding="utf-8"))
    names = [
        job["name"].replace("${{ matrix.python }}", python)
        for job in WORKFLOWS["ci"]["jobs"].values()
        for python in job.get("strategy", {}).get("matrix", {}).get("python", [""])
    ]
    assert [check["context"] for check in protection["required_status_checks"]["checks"]] == names


def test_it_tests_the_oldest_python_and_the_images() -> None:
    pyproject = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'requires-python = ">=(\S+?),', pyproject)
    image = re.search(r'python_version: "(\S+)"', (PROJECT / "bentofile.yaml").read_text(encoding="utf-8"))
    assert oldest
    assert image
    assert WORKFLOWS["ci"]["jobs"]["test"]["strategy"]["matrix"]["python"] == [oldest[1], image[1]]


def test_the_coverage_is_shown_by_room(clone: Path) -> None:
    command = ["python3", "scripts/coverage_summary.py"]
    missing = subprocess.run(command, cwd=clone, capture_output=True, text=True)
    assert (missing.returncode, "run `make test`" in missing.stderr) == (1, True)
    summaries = {
        "churn/service.py": {"covered_lines": 3, "missing_lines": 1},
        "churn/web/routes.py": {"covered_lines": 4, "missing_lines": 0},
        "churn/web/server/worker.py": {"covered_lines": 0, "missing_lines": 4},
    }
    files = {name: {"summary": summary} for name, summary in summaries.items()}
    (clone / ".coverage.json").write_text(json.dumps({"files": files}), encoding="utf-8")
    shown = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[2:] == [
        "| **all** | 12 | 58.3% |", "| service | 4 | 75.0% |", "| web | 8 | 50.0% |"
    ]  # fmt: skip


def test_a_tag_that_is_not_the_packages_is_not_published(clone: Path) -> None:
    [step] = [line for line in lines("release") if "release-notes" in line]
    for tag, version in (("v9.8.7", "9.8.7"), ("v9.8.6", "9.8.7")):
        (clone / "churn" / "__init__.py").write_text(f'__version__ = "{version}"\n', encoding="utf-8")
        (clone / "CHANGELOG.md").write_text(f"## {version} – 2026-11-30\n\n- New.\n", encoding="utf-8")
        env = environment(GITHUB_REF_NAME=tag)
        ran = subprocess.run(["bash", "-euc", step], cwd=clone, env=env, capture_output=True, text=True)
        assert (ran.returncode == 0) == (tag == f"v{version}"), ran.stderr
        assert (ran.stdout == "- New.\n") == (ran.returncode == 0)
