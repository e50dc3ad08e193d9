"""The Bento: what it carries, and that it serves from an empty folder."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from churn.model import registry
from churn.model.registry import ServedModel
from harness.servers import PROJECT, bentoml_serve, environment, home_beside
from tests.support.company import EXAMPLE

TOKEN = "nV6bQx3mTz8RkWd2Lc4H"


# In what is lying around where a Bento is built, and in the environment of who builds it.
PLANTED = secrets.token_hex(16)
INDEX = f"https://ci:{PLANTED}@127.0.0.1:1/simple"
LYING_AROUND = {
    ".env": f"API_TOKEN={PLANTED}",
    ".env.production": f"API_TOKEN={PLANTED}",
    "churn/.env": f"API_TOKEN={PLANTED}",
    "churn/notes.txt": PLANTED,
    "churn/journal/churn.db": PLANTED,
    ".git/config": f"url = https://ci:{PLANTED}@127.0.0.1:1/churn.git",
    ".bentoml/churn.db-wal": PLANTED,
    ".bentoml/spool/1.segment": PLANTED,
    "extrait_sirh.csv": PLANTED,
    "uv.toml": f'index-url = "{INDEX}"',
    "pip.conf": f"[global]\nindex-url = {INDEX}",
}
FETCHED = "churn/web/assets/vendor/redoc.js"  # which git ignores
INDEXES = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")


@pytest.fixture(scope="module")
def bento(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what `make bundle` exports of a copy of this project, unpacked."""
    folder = tmp_path_factory.mktemp("bundle")
    checkout = folder / "churn"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    files = {name: PROJECT / name for name in listed.split("\0")}
    contents = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    contents |= {FETCHED: b"", **{name: text.encode() for name, text in LYING_AROUND.items()}}
    for name, content in contents.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes(content)
    home = home_beside(Path(os.environ["BENTOML_HOME"]), folder)
    env = environment(
        **dict.fromkeys(INDEXES, INDEX),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        BENTOML_HOME=str(home),
        CHURN_MODEL=model.tag,
        API_TOKEN=PLANTED,
        API_USERNAME="marie",
        API_PASSWORD=PLANTED,
    )
    env.pop("MAKEFLAGS", None)
    # What installs is there already; all else is as `make bundle` has it.
    installed = ["PYTHON=true", "UV=true", "RUN=env"]
    subprocess.run(["make", "bundle", *installed], cwd=checkout, env=env, check=True)
    assert (home / "churn.db").exists()
    (folder / "bento").mkdir()
    # By tar: tarfile wants `filter=` in newer Pythons, and does not know it before 3.11.4.
    subprocess.run(["tar", "-xzf", checkout / "dist" / "churn.tar.gz", "-C", folder / "bento"], check=True)
    return folder / "bento"


def test_it_carries_the_code_and_nothing_else(bento: Path) -> None:
    carried = {str(f.relative_to(bento / "src")) for f in (bento / "src").rglob("*") if f.is_file()}
    package = {
        str(f.relative_to(PROJECT))
        for f in (PROJECT / "churn").rglob("*")
        if f.suffix in (".py", ".mako", ".j2", ".css", ".js") and f.parent.name != "vendor"
    }
    assert package <= carried
    assert carried - package == {
        "bentofile.yaml",
        "service.py",
        "README.md",
        "churn/py.typed",
        "churn/model/sample_facts.json",
        FETCHED,
    }


def test_beside_the_code_it_carries_one_model_and_how_to_install(bento: Path, model: ServedModel) -> None:
    beside = {"README.md", "apis", "bento.yaml", "env", "models"}
    assert {path.name for path in bento.iterdir()} == {"src"} | beside
    [carried] = [path for path in (bento / "models" / registry.NAME).iterdir() if path.is_dir()]
    stored = registry.find(model.tag).path_of("/")
    assert {path.name for path in carried.iterdir()} == {path.name for path in Path(stored).iterdir()}


def test_it_holds_nothing_of_what_lies_around_it(bento: Path) -> None:
    for path in bento.rglob("*"):
        assert not path.is_file() or PLANTED.encode() not in path.read_bytes(), path


def test_it_holds_no_credential_and_no_address_of_an_index(bento: Path) -> None:
    # The code is looked through by `make audit`.
    for path in set(bento.rglob("*")) - set((bento / "src").rglob("*")):
        if path.is_file() and path.name != "README.md":
            found = re.search(rb"://[^/\s:@]*:[^/\s@]*@|--(extra-)?index-url|--find-links", path.read_bytes())
            assert found is None, path


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
