"""The Bento: what it carries, and that it serves from an empty folder."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest
import yaml

from churn.cli.source import Source
from churn.core.errors import ModelError
from churn.model import registry
from churn.model.registry import ServedModel
from harness.servers import PATIENCE, PROJECT, environment, free_port, home_beside, serving
from scripts.bundle import BundleError, check, choose
from scripts.space import SpaceError, write
from tests.support.company import EXAMPLE
from tests.support.installed import NOBODY
from tests.support.jobs import awaited, csv_of, send

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


# What trains, draws and deploys, which serving does without.
LEFT_OUT = {
    "churn/cli/comparison.py",
    "churn/cli/deploy.py",
    "churn/cli/documents.py",
    "churn/cli/drafts.py",
    "churn/cli/journal_source.py",
    "churn/cli/model/comparing.py",
    "churn/cli/train.py",
    "churn/ingest/data_frames.py",
    "churn/ingest/labelled.py",
    "churn/model/boosting.py",
    "churn/model/encoder.py",
    "churn/model/golden_rows.py",
    "churn/model/pair_effects.py",
    "churn/model/pipeline.py",
    "churn/model/sample.py",
    "churn/model/steps.py",
}
REPORTS = {"report.en.html", "report.fr.html"}


@dataclass(frozen=True)
class Bundle:
    """What `make bundle` made twice of a copy of this project, and said; `folder` is the first, unpacked."""

    archives: tuple[Path, ...]
    said: str
    home: Path
    folder: Path


@pytest.fixture(scope="module")
def bundle(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
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
        SOURCE_DATE_EPOCH="1767225600",
        API_TOKEN=PLANTED,
        API_USERNAME="marie",
        API_PASSWORD=PLANTED,
    )
    env.pop("MAKEFLAGS", None)
    # What installs is there already; all else is as `make bundle` has it.
    command = ["make", "bundle", f"MODEL={model.tag}", "PYTHON=true", "UV=true", "RUN=env"]
    archives, said = (folder / "first.tar.gz", folder / "second.tar.gz"), ""
    for archive in archives:
        done = subprocess.run(command, cwd=checkout, env=env, check=True, capture_output=True, text=True)
        (checkout / "dist" / "churn.tar.gz").rename(archive)
        said += done.stdout + done.stderr
    unpacked = folder / "bento"
    unpacked.mkdir()
    # By tar: tarfile wants `filter=` in newer Pythons, and does not know it before 3.11.4.
    subprocess.run(["tar", "-xzf", archives[0], "-C", unpacked], check=True)
    return Bundle(archives, said, home, unpacked)


@pytest.fixture(scope="module")
def bento(bundle: Bundle) -> Path:
    return bundle.folder


def test_the_same_code_and_model_make_the_same_bytes(bundle: Bundle) -> None:
    first, second = (archive.read_bytes() for archive in bundle.archives)
    assert first == second


def test_its_making_prints_no_credential_and_makes_no_database(bundle: Bundle, model: ServedModel) -> None:
    assert f"with model {model.tag} is in" in bundle.said
    assert PLANTED not in bundle.said
    assert "churn_" not in bundle.said
    assert "password" not in bundle.said.lower()
    assert not (bundle.home / "churn.db").exists()
    assert [path.name for path in (bundle.home / "bentos").glob("*")] == []


def test_it_carries_the_code_and_nothing_else(bento: Path) -> None:
    carried = {str(f.relative_to(bento / "src")) for f in (bento / "src").rglob("*") if f.is_file()}
    package = {
        str(f.relative_to(PROJECT))
        for f in (PROJECT / "churn").rglob("*")
        if f.suffix in (".py", ".mako", ".j2", ".css", ".js", ".toml") and f.parent.name != "vendor"
    } - LEFT_OUT
    left_out = ("churn/training/", "churn/report/", "churn/delivery/", "churn/drafting/")
    package = {name for name in package if not name.startswith(left_out)}
    assert package <= carried
    assert carried - package == {
        "bentofile.yaml",
        "service.py",
        "README.md",
        "LICENSE",
        "NOTICE",
        "churn/py.typed",
        FETCHED,
    }


def test_beside_the_code_it_carries_one_model_and_how_to_install(bento: Path, model: ServedModel) -> None:
    beside = {"README.md", "apis", "bento.yaml", "env", "models"}
    assert {path.name for path in bento.iterdir()} == {"src"} | beside
    [carried] = [path for path in (bento / "models" / registry.NAME).iterdir() if path.is_dir()]
    stored = registry.find(model.tag).path_of("/")
    of_model = {path.name for path in Path(stored).iterdir()} - {registry.PICKLE}
    assert {path.name for path in carried.iterdir()} == of_model | REPORTS
    assert registry.PICKLE not in (carried / registry.ENTRY).read_text(encoding="utf-8")


def test_it_holds_nothing_of_what_lies_around_it(bento: Path) -> None:
    for path in bento.rglob("*"):
        assert not path.is_file() or PLANTED.encode() not in path.read_bytes(), path


def test_it_holds_no_credential_and_no_address_of_an_index(bento: Path) -> None:
    # The code is looked through by `make audit`.
    for path in set(bento.rglob("*")) - set((bento / "src").rglob("*")):
        if path.is_file() and path.name != "README.md":
            found = re.search(rb"://[^/\s:@]*:[^/\s@]*@|--(extra-)?index-url|--find-links", path.read_bytes())
            assert found is None, path


def test_a_space_is_it_with_a_recipe_and_a_readme_that_the_hub_understands(
    bundle: Bundle, model: ServedModel, tmp_path: Path
) -> None:
    space = tmp_path / "space"
    write(bundle.archives[0], space, ui=False)
    front, _, text = (
        (space / "README.md").read_text(encoding="utf-8").removeprefix("---\n").partition("---\n")
    )
    told = yaml.safe_load(front)
    assert (told["sdk"], told["app_port"]) == ("docker", 3000)
    assert len(told["short_description"]) <= 60  # the hub's limit
    assert model.tag in text
    assert "$" not in text
    assert "EXPOSE 3000\n" in (space / "Dockerfile").read_text(encoding="utf-8")
    carried = {path.relative_to(bundle.folder) for path in bundle.folder.rglob("*")}
    assert carried <= {path.relative_to(space) for path in space.rglob("*")}


def test_a_space_is_written_again_in_its_folder_and_in_no_other(bundle: Bundle, tmp_path: Path) -> None:
    space, other = tmp_path / "space", tmp_path / "other"
    write(bundle.archives[0], space, ui=False)
    (space / "left.txt").touch()
    (space / ".git").mkdir()
    (space / ".git" / "HEAD").touch()
    write(bundle.archives[0], space, ui=False)
    assert not (space / "left.txt").exists()
    assert (space / ".git" / "HEAD").exists()
    other.mkdir()
    (other / "README.md").write_text("of something else", encoding="utf-8")
    with pytest.raises(SpaceError, match="holds something else: name a new folder"):
        write(bundle.archives[0], other, ui=False)
    assert [path.name for path in other.iterdir()] == ["README.md"]


def test_its_requirements_are_those_of_the_lock_file() -> None:
    command = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"]
    locked = subprocess.run(
        [sys.executable, "-m", *command, "--no-header", "--no-annotate"],
        cwd=PROJECT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert (PROJECT / "requirements.txt").read_text(encoding="utf-8") == locked


def test_everyone_may_read_it(bundle: Bundle) -> None:
    with tarfile.open(bundle.archives[0]) as archive:
        modes = {(entry.isdir(), entry.mode & 0o055) for entry in archive}
    assert modes == {(True, 0o055), (False, 0o044), (False, 0o055)}


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Return a new folder that everyone may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_it_serves_from_an_empty_folder_as_somebody_else(
    bento: Path, model: ServedModel, elsewhere: Path
) -> None:
    # Nobody but root can be somebody else.
    is_root = os.geteuid() == 0
    subprocess.run(["cp", "-a", bento, elsewhere / "bento"], check=True)
    for name in ("home", "empty"):
        (elsewhere / name).mkdir()
        if is_root:
            os.chown(elsewhere / name, 65534, 65534)
    home = str(elsewhere / "home")
    env = environment(BENTOML_HOME=f"{home}/bentoml", API_TOKEN=TOKEN, HOME=home)
    env.pop("PYTHONPATH", None)
    port = free_port()
    command = [*(NOBODY if is_root else ()), sys.executable, "-m", "bentoml", "serve"]
    command += [str(elsewhere / "bento"), "--host", "127.0.0.1", "--port", str(port)]
    with serving(command, env, f"http://127.0.0.1:{port}", elsewhere / "empty") as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=PATIENCE) as client:
            assert client.post("/predict", json=EXAMPLE).json()["model"] == model.tag
            job = awaited(client, send(client, csv_of(pd.DataFrame([EXAMPLE] * 2))))
            assert (job["state"], job["scored"]) == ("done", 2)
        owners = {psutil.Process(process.pid).uids().real for process in server.process.workers()}
        assert owners == {65534 if is_root else os.geteuid()}
    assert (elsewhere / "home" / "bentoml" / "churn.db").exists()
    assert list((elsewhere / "empty").iterdir()) == []


@pytest.mark.parametrize("tag", ["", "churn:other"])
def test_unpacked_its_model_serves_whatever_the_home_has(
    bento: Path, model: ServedModel, tmp_path: Path, tag: str
) -> None:
    (tmp_path / "churn-promotions.json").write_text(
        f'{{"promotions": [{{"tag": "{tag}", "at": "2026-11-30T12:00:00+00:00", "by": "marie"}}]}}'
        if tag
        else '{"promotions": []}'
    )
    env = environment(BENTOML_HOME=str(tmp_path), PYTHONPATH=str(bento / "src"), COLUMNS="200")
    for command, wanted in ((["current"], model.tag), (["list"], model.tag), (["show"], model.tag)):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "churn.cli.main", "model", *command],
            cwd=tmp_path, env=env, check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert wanted in done.stdout


@pytest.mark.parametrize("arguments", [["train"], ["model", "show", "--out", "report"]], ids=" ".join)
def test_a_command_that_it_leaves_out_is_a_sentence(
    bento: Path, tmp_path: Path, arguments: list[str]
) -> None:
    command = [sys.executable, "-P", "-m", "churn.cli.main", *arguments]
    env = environment(BENTOML_HOME=str(bento), PYTHONPATH=str(bento / "src"))
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"churn: a Bento leaves churn\.cli\.\w+ out: run this where .*\n", done.stderr)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("src/.env", "", "must not be in it"),
        ("src/churn/.env.production", "", "must not be in it"),
        ("src/tests/test_x.py", "", "must not be in it"),
        ("src/churn/churn.db", "", "must not be in it"),
        ("src/churn/churn.db-wal", "", "must not be in it"),
        ("models/churn/a/saved_model.pkl", "", "must not be in it"),
        ("src/spool/1.segment", "", "must not be in it"),
        ("env/python/requirements.txt", f"--index-url {INDEX}", "holds a credential"),
        (
            "src/churn/journal/place.py",
            f"URL = 'postgresql://churn:{PLANTED}@db/churn'",
            "holds a credential",
        ),
        ("src/README.md", f"churn_{'0' * 72}", "holds a credential"),
    ],
    ids=lambda value: value.replace(PLANTED, "…"),  # workers of a run name tests alike
)
def test_what_must_not_travel_is_refused(tmp_path: Path, name: str, text: str, why: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=rf"^the Bento is not written: .*{why}") as refusal:
        check(tmp_path)
    assert PLANTED not in str(refusal.value)


def test_an_address_of_the_docs_is_no_credential(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("postgresql://user:password@host/churn", encoding="utf-8")
    check(tmp_path)


def test_the_model_is_the_one_named_or_the_one_of_the_data_or_the_one_that_serves(
    model: ServedModel, damaged: str, sample: Path
) -> None:
    assert choose("", Source()) == model.tag
    assert choose("", Source(sample)) == model.tag  # nothing is trained: there is one of these data
    with pytest.raises(ModelError, match="failed its self-test"):
        choose(damaged, Source())
    with pytest.raises(ModelError, match="no model 'churn:nothing' in the store"):
        choose("churn:nothing", Source())


def test_without_any_model_it_says_in_a_sentence_what_to_do(tmp_path: Path) -> None:
    target = tmp_path / "churn.tar.gz"
    target.write_bytes(b"of an earlier time")
    command = [sys.executable, "-m", "scripts.bundle", "--out", str(target)]
    env = environment(BENTOML_HOME=str(tmp_path / "home"))
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("bundle: no model in the store")
    assert done.stderr.count("\n") == 1
    assert not target.exists()
