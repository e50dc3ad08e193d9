"""The Bento: what it carries, and that it serves from an empty folder."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from churn import registry
from churn.registry import ServedModel
from churn.schemas import EXAMPLE
from tests.servers import PROJECT, bentoml_serve, environment

TOKEN = "nV6bQx3mTz8RkWd2Lc4H"


def bentoml(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "bentoml", *arguments], cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def bento(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a built and exported Bento was unpacked."""
    folder = tmp_path_factory.mktemp("bento")
    before = {path.name for path in registry.home().iterdir()}
    said = bentoml("build", "-o", "tag")
    assert "shown this once" not in said
    assert "churn.db" not in {path.name for path in registry.home().iterdir()} - before
    [tag] = re.findall(r"churn:\w+", said)
    bentoml("export", tag, str(folder / "bento.tar.gz"))
    (folder / "bento").mkdir()
    # By tar: tarfile wants `filter=` in newer Pythons, and does not know it before 3.11.4.
    subprocess.run(["tar", "-xzf", "bento.tar.gz", "-C", "bento"], cwd=folder, check=True)
    return folder / "bento"


def test_it_carries_the_code_and_nothing_else(bento: Path) -> None:
    carried = {str(f.relative_to(bento / "src")) for f in (bento / "src").rglob("*") if f.is_file()}
    package = {
        str(f.relative_to(PROJECT))
        for f in (PROJECT / "churn").rglob("*")
        if f.suffix in (".py", ".mako", ".j2", ".css")
    }
    assert package <= carried
    assert carried - package == {
        "bentofile.yaml",
        "service.py",
        "README.md",
        "churn/py.typed",
        "churn/sample_facts.json",
    }


def test_it_holds_no_credential_and_no_address_of_an_index(bento: Path) -> None:
    for path in (bento / "bento.yaml", *(bento / "env").rglob("*")):
        if path.is_file():
            assert not re.search(
                r"://[^/\s]*@|--(extra-)?index-url|--find-links", path.read_text(encoding="utf-8")
            )


def test_its_requirements_are_those_of_the_lock_file() -> None:
    command = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"]
    locked = subprocess.run(
        [sys.executable, "-m", *command, "--no-header", "--no-annotate"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert (PROJECT / "requirements.txt").read_text(encoding="utf-8") == locked


def test_it_serves_from_an_empty_folder(bento: Path, model: ServedModel, tmp_path: Path) -> None:
    env = environment(BENTOML_HOME=str(tmp_path / "home"), API_TOKEN=TOKEN)
    env.pop("PYTHONPATH", None)
    with bentoml_serve(env, target=".", cwd=bento) as server:
        response = httpx.post(
            f"{server.url}/predict", json=EXAMPLE, headers={"Authorization": f"Bearer {TOKEN}"}
        )
    assert response.json()["model"] == model.tag
    assert (tmp_path / "home" / "churn.db").exists()
