"""The wheel, in an environment that has what serving needs and nothing that trains, from an empty folder."""

import json
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pandas as pd
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import churn
from churn.cli.lazy import LazyGroup
from churn.cli.main import COMMANDS
from churn.core.extras import EXTRAS
from churn.dictionary import embedded_files
from churn.model.registry import ServedModel
from churn.model.sample import write_sample
from harness.servers import PATIENCE, PROJECT, Server, free_port, serving
from tests.support.company import EXAMPLE
from tests.support.installed import NOBODY, Installation, build_wheel, install
from tests.support.jobs import awaited, csv_of, send

NEEDS_TRAINING = ("train", "model compare", "dictionary draft")
NEEDS_DEPLOYING = ("deploy space",)
SERVES = ("run", "serve")  # until they are told to stop: `served` does


@pytest.fixture(scope="module")
def wheel(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(model.tag, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


@pytest.fixture(scope="module")
def token(installed: Installation, empty: Path) -> str:
    """Return the token that `churn setup` shows."""
    done = installed.run("churn", "setup", cwd=empty)
    assert done.returncode == 0, done.stderr
    shown = re.search(r"First token.*: +(\S+)", done.stdout)
    assert shown
    return shown[1]


@pytest.fixture(scope="module")
def served(installed: Installation, empty: Path, token: str) -> Iterator[Server]:
    """Return `churn serve`, after `churn setup`."""
    port = free_port()
    command = installed.command("churn", "serve", "--port", str(port))
    with serving(command, installed.env(), f"http://127.0.0.1:{port}", empty) as server:
        yield server


@pytest.fixture
def client(served: Server, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=PATIENCE) as client:
        yield client


def test_it_carries_what_the_package_reads_and_nothing_else(wheel: Path, model: ServedModel) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/") and ".dist-info/" not in name}
        [dist_info] = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        for licence in ("LICENSE", "NOTICE"):
            carried_licence = archive.read(f"{dist_info}/licenses/{licence}")
            assert carried_licence == (PROJECT / licence).read_bytes()
        told = archive.read(f"{dist_info}/METADATA").decode()
    assert f"\nVersion: {churn.__version__}\n" in told
    assert "\nLicense-Expression: Apache-2.0\n" in told
    package = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "churn").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    carried = f"churn/model/sample_model/{model.tag.replace(':', '/')}"
    of_model = {
        "MODEL_CARD.fr.md",
        "MODEL_CARD.md",
        "dictionary.json",
        "golden.json",
        "model.yaml",
        "reference.json",
        "report.json",
        "scorecard.json",
    }
    assert names - package == {f"{carried}/{name}" for name in of_model}
    assert package <= names
    assert "churn/web/assets/vendor/htmx.js" in names


def test_it_serves_the_model_that_it_carries(client: httpx.Client, model: ServedModel) -> None:
    answer = client.post("/predict", json=EXAMPLE).raise_for_status().json()
    assert answer["model"] == model.tag
    assert client.post("/predict_batch", json=[EXAMPLE]).raise_for_status().json()[0]["model"] == model.tag
    assert client.get("/history").raise_for_status().json()


def test_its_pages_have_their_scripts(client: httpx.Client) -> None:
    for page in ("/docs", "/redoc", "/sign-in"):
        text = client.get(page).raise_for_status().text
        scripts = re.findall(r'(?:src|href)="(?:\./)?(assets/[^"]+)"', text)
        assert scripts, page
        for script in scripts:
            client.get(f"/{script}").raise_for_status()


def test_files_of_every_kind_are_scored(client: httpx.Client, tmp_path: Path) -> None:
    table = pd.DataFrame([EXAMPLE] * 3)
    table.to_csv(tmp_path / "employees.csv", index=False)
    table.to_excel(tmp_path / "employees.xlsx", index=False)
    table.to_parquet(tmp_path / "employees.parquet", index=False)
    jobs = [send(client, path.read_bytes(), path.name) for path in tmp_path.iterdir()]
    (tmp_path / "extracts").mkdir()
    write_sample(tmp_path / "extracts", rows=20)
    files = [("file", (path.name, path.read_bytes())) for path in (tmp_path / "extracts").iterdir()]
    jobs.append(client.post("/predict_file", files=files).raise_for_status().json())
    ended = [awaited(client, job) for job in jobs]
    assert [(job["state"], job["scored"]) for job in ended] == [("done", 3)] * 3 + [("done", 20)]


def test_nothing_is_written_where_it_was_started_or_installed(
    client: httpx.Client, installed: Installation, empty: Path
) -> None:
    assert list(empty.iterdir()) == []
    assert (installed.home / ".local/share/churn/churn.db").exists()
    assert {path.name for path in installed.home.iterdir()} <= {".local", ".cache"}
    [library] = installed.environment.glob("lib/*/site-packages")
    assert not [path for path in (library / "churn").rglob("*") if path.suffix in (".db", ".segment")]
    assert not (library / ".bentoml").exists()


def leaves(commands: object, *words: str) -> Iterator[str]:
    assert isinstance(commands, dict)
    for name, command in commands.items():
        if isinstance(command, LazyGroup):
            yield from leaves(dict(command._lazy), *words, name)
        else:
            yield " ".join((*words, name))


# One process for all: each would import everything anew.
RUNNER = """
import json, sys
from click.testing import CliRunner
from churn.cli.main import main
told = {}
for number, (arguments, typed) in enumerate(json.loads(sys.argv[1])):
    result = CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)
    told[number] = [result.exit_code, result.output]
print(json.dumps(told))
"""


def test_every_serving_command_runs(
    installed: Installation, client: httpx.Client, model: ServedModel, empty: Path, tmp_path: Path
) -> None:
    (tmp_path / "employees.csv").write_bytes(csv_of(pd.DataFrame([{"employee_id": 7, **EXAMPLE}] * 2)))
    shutil.copy(embedded_files.path_of("ibm"), tmp_path / "company.toml")
    client.post("/predict", json={"employee_id": 7, **EXAMPLE}).raise_for_status()
    entered = "correct horse battery\n" * 2
    scores, rows, backup = (str(tmp_path / name) for name in ("scores.csv", "rows.parquet", "backup"))
    calls: dict[str, tuple[list[str], str]] = {
        "setup": ([], ""),
        "model list": ([], ""),
        "model show": ([model.tag], ""),
        "model current": ([], ""),
        "model promote": ([model.tag], ""),
        "model rollback": ([], ""),
        "model delete": (["--help"], ""),  # there is one, and it serves
        "dictionary check": ([str(tmp_path / "company.toml")], ""),
        "dictionary show": (["ibm"], ""),
        "dictionary diff": (["technova", str(tmp_path / "company.toml")], ""),
        "score": ([str(tmp_path / "employees.csv"), "-o", scores, "--journal"], ""),
        "user add": (["ines", "--role", "analyst"], entered),
        "user list": ([], ""),
        "user password": (["ines"], entered),
        "user role": (["ines", "auditor"], ""),
        "user disable": (["ines"], ""),
        "user enable": (["ines"], ""),
        "token issue": (["nightly", "--scopes", "predict"], ""),
        "token list": ([], ""),
        "token revoke": (["nightly"], "y\n"),
        "db upgrade": ([], ""),
        "db check": ([], ""),
        "db backup": ([backup], ""),
        "db restore": (["--help"], ""),  # not under a service that runs
        "data verify": ([], ""),
        "data replay": ([], ""),
        "data export": ([rows], ""),
        "data show": (["7"], ""),
        "data erase": (["7", "--yes"], ""),
        "data purge": (["--older-than", "200d", "--yes"], ""),
        "monitor drift": (["--help"], ""),  # too few rows have an exit code of their own
        "monitor performance": (["--help"], ""),
        "monitor oversight": (["--help"], ""),
        "monitor report": (["-o", "week.html"], ""),
        "outcomes": (["--help"], ""),
        "audit": ([], ""),
        "health": ([], ""),
    }
    assert set(leaves(COMMANDS)) == {*calls, *NEEDS_TRAINING, *NEEDS_DEPLOYING, *SERVES}
    asked = [([*name.split(), *arguments], typed) for name, (arguments, typed) in calls.items()]
    ran = installed.run("python", "-c", RUNNER, json.dumps(asked), cwd=empty, PORT=str(client.base_url.port))
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    failed = {name: said for name, (code, said) in zip(calls, told.values(), strict=True) if code != 0}
    assert failed == {}


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        *(("train", name) for name in (*NEEDS_TRAINING, "model show --out report")),
        *(("deploy", f"{name} somebody/churn --from .") for name in NEEDS_DEPLOYING),
    ],
)
def test_what_needs_an_extra_says_in_a_sentence_how_to_get_it(
    installed: Installation, token: str, extra: str, command: str, tmp_path: Path
) -> None:
    done = installed.run("churn", *command.split(), cwd=tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(
        rf"churn: this needs \w+, which is not installed here: run `pip install 'churn\[{extra}\]'`, "
        r"or `make install` in a checkout\n",
        done.stderr,
    )


def test_so_does_a_start_on_data_that_no_model_is_of(
    installed: Installation, token: str, tmp_path: Path
) -> None:
    write_sample(tmp_path, rows=20)
    done = installed.run("churn", "setup", "--data", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "run `pip install 'churn[train]'`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_extras_are_those_of_the_project_and_serving_has_none_of_them(installed: Installation) -> None:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    asked = {
        extra: {canonicalize_name(Requirement(one).name) for one in of}
        for extra, of in project["optional-dependencies"].items()
    }
    brought = packages_distributions()
    assert {*asked} == {*EXTRAS}
    for extra, modules in EXTRAS.items():
        # Gradio brings what the page asks of it.
        assert asked[extra] <= {canonicalize_name(one) for module in modules for one in brought[module]}
    [library] = installed.environment.glob("lib/*/site-packages")
    there = {path.name for path in library.iterdir()}
    assert not there & frozenset().union(*EXTRAS.values())


def test_settings_are_where_the_platform_keeps_them(installed: Installation, tmp_path: Path) -> None:
    settings = tmp_path / "config" / "churn"
    settings.mkdir(parents=True)
    (settings / ".env").write_text("PORT=many\n", encoding="utf-8")
    (tmp_path / ".env").write_text("CHURN_WORKERS=some\n", encoding="utf-8")  # of another project, perhaps
    done = installed.run("churn", "user", "list", cwd=tmp_path, XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert done.returncode == 1
    assert re.fullmatch(r"churn: PORT: [^;]+\n", done.stderr)


def test_a_home_that_cannot_be_used_is_a_sentence(installed: Installation, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in ("file", "file/home"):
        done = installed.run("churn", "model", "current", cwd=tmp_path, BENTOML_HOME=str(tmp_path / home))
        assert done.returncode == 1
        assert done.stderr.endswith(
            f"as {tmp_path / 'file'} is no folder: "
            "point BENTOML_HOME at a folder where models and the database may be kept\n"
        )
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_so_is_a_home_of_somebody_else(installed: Installation, tmp_path: Path) -> None:
    command = [*NOBODY, *installed.command("churn", "model", "current")]
    env = installed.env(BENTOML_HOME="/root-only/home")
    done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "churn: /root-only/home cannot be used, as this user may not write to /: "
        "point BENTOML_HOME at a folder where models and the database may be kept\n"
    )
