"""The README's commands, run as written in a fresh copy of the project, against the reply it promises."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest

from churn.model.sample import write_sample
from harness.servers import PROJECT, Process, environment, free_port
from tests.support.company import EXAMPLE

README = (PROJECT / "README.md").read_text(encoding="utf-8")
FIRST_START = 600  # seconds that installing and training may take on a busy machine
LEFT_BEHIND = (
    ".git",
    ".venv",
    ".uv",
    ".bentoml",
    ".env",
    "dist",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    ".coverage*",
)


def block(language: str, containing: str, page: str = README) -> str:
    """Return a page's first block of code in a language that contains a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return str(next(text for text in blocks if containing in text))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project as somebody gets it who has just cloned it."""
    return shutil.copytree(
        PROJECT, tmp_path_factory.mktemp("fresh") / "churn", ignore=shutil.ignore_patterns(*LEFT_BEHIND)
    )


def fresh_environment(port: int) -> dict[str, str]:
    """Return an environment without this test run's own virtual environment and model store."""
    env = environment(PORT=str(port))
    return {name: value for name, value in env.items() if name not in ("BENTOML_HOME", "VIRTUAL_ENV")}


@pytest.fixture(scope="module")
def first_run(copy: Path) -> Iterator[tuple[Process, int]]:
    """Return the first `make run`, ready, and its port."""
    port = free_port()
    process = Process(block("sh", "make run\n").splitlines()[0].split(), fresh_environment(port), copy)
    try:
        process.await_ready(f"http://127.0.0.1:{port}", FIRST_START)
        yield process, port
    finally:
        process.stop()


def token_of(process: Process) -> str:
    """Return the first token, as it was shown."""
    [token] = re.findall(r"^First token, shown this once:\s+(\S+)$", process.output, re.MULTILINE)
    return str(token)


def ask(command: str, copy: Path, **env: str) -> Any:
    """Return the answer to a curl command: curl's own, or httpx's to the same words where there is none."""
    if shutil.which("curl"):
        return json.loads(run(command, copy, **env))
    words = iter(shlex.split(Template(command).safe_substitute(env).replace("\\\n", " ")))
    url, headers, body = "", {}, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word.startswith("http"):
            url = word
    return httpx.post(url, headers=headers, content=body).json()


def run(command: str, copy: Path, **env: str) -> str:
    """Return what a shell command prints on standard output."""
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=copy,
        env={**os.environ, **env},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.parametrize("name", ["README.md", "README.fr.md"])
def test_the_first_screen_is_a_sentence_the_command_and_the_answer(name: str) -> None:
    first_screen = (PROJECT / name).read_text(encoding="utf-8").splitlines()[:48]
    assert first_screen[7:9] == ["```sh", "make run"]
    assert any('"prediction": 1' in line for line in first_screen)


def test_the_readme_answers_as_it_says(copy: Path, first_run: tuple[Process, int]) -> None:
    process, port = first_run
    command = block("sh", "curl").replace(":3000", f":{port}")
    answer = ask(command, copy, TOKEN=token_of(process))
    promised: dict[str, Any] = json.loads(block("json", '"prediction": 1'))
    assert list(answer) == list(promised)
    assert (answer["prediction"], answer["message"]) == (promised["prediction"], promised["message"])
    assert answer["probability"] == pytest.approx(promised["probability"], abs=0.01)
    assert answer["threshold"] == pytest.approx(promised["threshold"], abs=0.01)
    assert answer["base_value"] == pytest.approx(promised["base_value"], abs=0.01)
    [reason] = promised["reasons"]
    given = answer["reasons"][0]
    assert {**given, "contribution": 0} == {**reason, "contribution": 0}
    assert given["contribution"] == pytest.approx(reason["contribution"], abs=0.01)
    assert answer["unknown"][: len(promised["unknown"])] == promised["unknown"]


def test_the_what_if_of_the_docs_answers_as_it_says(copy: Path, first_run: tuple[Process, int]) -> None:
    process, port = first_run
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    command = block("sh", "/what_if", page).replace(":3000", f":{port}")
    answer = ask(command, copy, TOKEN=token_of(process))
    promised: dict[str, Any] = json.loads(block("json", '"suggestions"', page))
    [field], [changed] = promised["difference"].pop("fields"), answer["difference"].pop("fields")
    assert changed == {**field, "change": pytest.approx(field["change"], abs=0.01)}
    assert answer["difference"] == pytest.approx(promised["difference"], abs=0.01)
    assert (answer["suggestions"], answer["message"]) == (promised["suggestions"], promised["message"])


def test_the_command_that_is_printed_can_be_pasted(copy: Path, first_run: tuple[Process, int]) -> None:
    process, _ = first_run
    [command] = re.findall(r"^curl .*?'\n\n", process.output, re.MULTILINE | re.DOTALL)
    assert ask(command, copy)["message"] == "Risque de départ élevé"


def test_what_serves_keeps_none_of_the_libraries_of_training(first_run: tuple[Process, int]) -> None:
    process, _ = first_run
    assert "exported as churn:" in process.output  # it was trained by then
    mapped = {one.path for child in process.children() for one in child.memory_maps()}
    assert [path for path in mapped if "pydantic_core" in path]
    assert not [path for path in mapped if "/sklearn/" in path]


def test_secrets_are_printed_once_and_what_is_there_is_reused(
    copy: Path, first_run: tuple[Process, int]
) -> None:
    first, _ = first_run
    port = free_port()
    second = Process(["make", "run"], fresh_environment(port), copy)
    try:
        second.await_ready(f"http://127.0.0.1:{port}", FIRST_START)
    finally:
        second.stop()
    assert "exported as churn:" in first.output
    for once in ("exported as", "shown this once", "Bearer"):
        assert once not in second.output


def test_the_environment_and_other_data_are_honoured(copy: Path, tmp_path: Path, first_run: object) -> None:
    port, token = free_port(), "tR5wKp8nZq2LxVb7"
    write_sample(tmp_path, rows=300, seed=3)
    settings = {
        "BENTOML_HOME": str(tmp_path / "home"),
        "DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.db",
        "API_TOKEN": token,
        "API_USERNAME": "marie",
        "API_PASSWORD": "correct horse",
    }
    process = Process(["make", "run", f"DATA={tmp_path}"], {**fresh_environment(port), **settings}, copy)
    try:
        process.await_ready(f"http://127.0.0.1:{port}", FIRST_START)
        url = f"http://127.0.0.1:{port}/predict"
        bearer = httpx.post(url, json=EXAMPLE, headers={"Authorization": f"Bearer {token}"})
        basic = httpx.post(url, json=EXAMPLE, auth=("marie", "correct horse"))
    finally:
        process.stop()
    assert (bearer.status_code, basic.status_code) == (200, 200)
    assert "300 employees" in process.output
    assert token not in process.output
    assert "shown this once" not in process.output
    assert (tmp_path / "elsewhere.db").exists()
    assert (tmp_path / "home" / "models").is_dir()


def test_the_commands_without_make_are_those_of_the_makefile() -> None:
    plain = block("sh", "pip install uv")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for command in ("churn run", "pytest"):
        assert f"uv run {command}" in plain
        assert re.search(rf"^\t.*{command}\b", makefile, re.MULTILINE)
