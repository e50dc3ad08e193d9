"""`churn deploy space`, as people type it, against a hub whose repositories are real git."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from huggingface_hub import constants

from churn.cli.main import main
from churn.model import registry
from churn.model.registry import ServedModel
from harness.git_repository import Repository
from harness.hub import DONE_BUT_CUT, HANG, OWNER, Hub
from harness.hub_server import hub_at
from harness.servers import PATIENCE, PROJECT, bentoml_serve, environment, home_beside

# huggingface_hub's, of a library of its own.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")

TOKEN = "hf_of_the_tests"
API_TOKEN = "nV6bQx3mTz8RkWd2Lc4H"
NAME = f"{OWNER}/churn"
FILES = {
    "Dockerfile": b"FROM scratch\n",
    "README.md": b"---\ntitle: churn\nsdk: docker\napp_port: 3000\n---\n",
    "bento.yaml": b"service: churn\n",
    "src/churn/first.py": b"",
    "models/rows.npz": b"\0\1\2",
}
# The calls of a first deployment that change something, or wait: each may be the last one.
STEPS = ("create", "secret", "variable", "store", "commit", "runtime", "tag")


@pytest.fixture(scope="module")
def served_url(model: ServedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the service, which stands for that of a Space that runs."""
    home = home_beside(registry.home(), tmp_path_factory.mktemp("served"))
    with bentoml_serve(environment(BENTOML_HOME=str(home), API_TOKEN=API_TOKEN)) as server:
        yield server.url


@pytest.fixture
def hub(tmp_path: Path, served_url: str) -> Iterator[Hub]:
    with hub_at(tmp_path / "hub", TOKEN) as hub:
        hub.host = served_url
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "space", FILES)


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def changed(folder: Path) -> Path:
    """Return a folder after a change of its code: one file more, one less."""
    (folder / "src" / "churn" / "first.py").unlink(missing_ok=True)
    return written(folder, {"src/churn/second.py": b"'more'\n"})


def command(folder: Path, name: str, *options: str) -> list[str]:
    called = [sys.executable, "-m", "churn.cli.main", "deploy", "space", name, "--from", str(folder)]
    return [*called, "--time-limit", "60", *options]


def settings(hub: Hub, **changes: str) -> dict[str, str]:
    hub_s = {"HF_ENDPOINT": hub.url, "HF_TOKEN": hub.token, "HF_HUB_DISABLE_XET": "1"}
    return environment(API_TOKEN=API_TOKEN, CHURN_WORKERS="2", **hub_s) | changes


def deploy(hub: Hub, folder: Path, *options: str, name: str = NAME, **changes: str) -> Result:
    """Run the command in this process, which takes a tenth of the time."""
    arguments = command(folder, name, *options)[3:]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(constants, "HF_HUB_DISABLE_XET", True)
        return CliRunner(env=settings(hub, **changes)).invoke(main, arguments, catch_exceptions=False)


def kill_when_held(hub: Hub, folder: Path) -> None:
    """Run the command in a process that is killed at the call that the hub holds."""
    process = subprocess.Popen(
        command(folder, NAME), cwd=PROJECT, env=settings(hub), stdout=subprocess.DEVNULL
    )
    try:
        assert hub.reached.wait(PATIENCE)
    finally:
        process.kill()
        process.wait(PATIENCE)
    hub.released.set()


def refusal(done: Result | subprocess.CompletedProcess[str]) -> str:
    """Return what a deployment was refused with: it is no traceback, and holds no secret."""
    code = done.exit_code if isinstance(done, Result) else done.returncode
    assert code == 1, done.stdout + done.stderr
    assert done.stderr.startswith("churn: "), done.stderr
    assert "Traceback" not in done.stderr
    assert API_TOKEN not in done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done.stderr.removeprefix("churn: ").strip()


def contents(repository: Repository) -> dict[str, bytes]:
    return {name: repository.read(name) for name in repository.files() if name != ".gitattributes"}


def test_it_makes_the_space_configures_it_uploads_in_one_commit_and_sees_it_serve(
    hub: Hub, folder: Path
) -> None:
    done = deploy(hub, folder)
    assert done.exit_code == 0, done.stderr
    space = hub.space()
    assert contents(space) == FILES
    assert len(space.titles()) == 2
    assert (space.secrets, space.is_private) == ({"API_TOKEN": API_TOKEN}, True)
    assert space.variables == {"CHURN_UI": "false", "CHURN_WORKERS": "2"}
    assert space.git("tag").decode().strip() == f"deployed-{space.head[:12]}"
    assert API_TOKEN not in done.stdout + done.stderr
    for said in (
        "made, private",
        "secret API_TOKEN is set",
        "BUILDING",
        f"revision {space.head[:12]} serves",
    ):
        assert said in done.stdout


def test_a_second_one_changes_nothing_where_nothing_has_changed(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    hub.calls.clear()
    done = deploy(hub, folder)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "nothing to upload" in done.stdout
    assert not {"create", "secret", "variable", "commit"} & set(hub.calls)


def test_a_changed_folder_is_one_commit_more_without_the_files_that_are_gone(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    assert deploy(hub, changed(folder), API_USERNAME="marie").exit_code == 0
    assert len(hub.space().titles()) == 3
    assert "src/churn/second.py" in hub.space().files()
    assert "src/churn/first.py" not in hub.space().files()
    assert hub.space().secrets["API_USERNAME"] == "marie"
    assert hub.calls.count("secret") == 2  # the one that was there is not set again


def test_a_secret_is_set_again_where_it_is_another_one(hub: Hub, folder: Path) -> None:
    for name in ("marie", "marie", "paul"):
        assert deploy(hub, folder, API_USERNAME=name).exit_code == 0
    assert hub.space().secrets == {"API_TOKEN": API_TOKEN, "API_USERNAME": "paul"}
    assert hub.calls.count("secret") == 3
    assert "paul" not in str(hub.space().descriptions)
    hub.space().descriptions["API_USERNAME"] = "by hand"
    assert deploy(hub, folder, API_USERNAME="paul").exit_code == 0
    assert hub.calls.count("secret") == 4


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_is_run_again(hub: Hub, folder: Path, step: str) -> None:
    hub.trouble[step] = [HANG]
    kill_when_held(hub, folder)
    done = deploy(hub, folder)
    assert done.exit_code == 0, done.stderr
    assert contents(hub.space()) == FILES
    assert len(hub.space().titles()) == 2
    assert hub.space().secrets == {"API_TOKEN": API_TOKEN}
    assert hub.confirmed() == {hub.space().head}


@pytest.mark.parametrize(("call", "trouble"), [("paths", [500]), ("commit", [None, DONE_BUT_CUT])])
def test_a_hub_that_is_away_while_it_goes_back_is_asked_again(
    hub: Hub, folder: Path, call: str, trouble: list[int | None]
) -> None:
    assert deploy(hub, folder).exit_code == 0
    before = contents(hub.space())
    hub.builds, hub.trouble[call] = [["BUILDING", "BUILD_ERROR"]], trouble
    assert refusal(deploy(hub, changed(folder))).endswith("is put back and runs")
    assert contents(hub.space()) == before
    assert len(hub.space().titles()) == 4


@pytest.mark.parametrize(
    "failing", [["BUILDING", "BUILD_ERROR"], ["BUILDING", "APP_STARTING", "RUNTIME_ERROR"]]
)
def test_what_does_not_run_makes_way_for_what_ran(hub: Hub, folder: Path, failing: list[str]) -> None:
    assert deploy(hub, folder).exit_code == 0
    hub.builds, hub.log = [failing], [f"line {n}" for n in range(40)] + [f"a secret: {API_TOKEN}"]
    before = contents(hub.space())
    said = refusal(deploy(hub, changed(folder)))
    kind = "build" if failing[-1] == "BUILD_ERROR" else "run"
    assert f"does not run: {failing[-1]}\n" in said
    assert f"  | {kind}: line 39\n  | {kind}: a secret: …\n" in said
    assert "line 20\n" not in said  # the end of the log only
    assert said.endswith("is put back and runs")
    assert contents(hub.space()) == before
    assert len(hub.space().titles()) == 4


def test_what_does_not_answer_makes_way_too(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    before = contents(hub.space())
    said = refusal(deploy(hub, changed(folder), API_TOKEN="another token, of 16 or more".replace(" ", "-")))
    assert "it does not accept API_TOKEN" in said
    assert said.endswith("is put back and runs")
    assert contents(hub.space()) == before


def test_killed_while_it_waits_for_what_will_not_run_it_still_goes_back_to_what_ran(
    hub: Hub, folder: Path
) -> None:
    assert deploy(hub, folder).exit_code == 0
    before = contents(hub.space())
    hub.builds = [["BUILDING", "BUILD_ERROR"]]
    hub.trouble["runtime"] = [HANG]
    kill_when_held(hub, changed(folder))
    assert refusal(deploy(hub, folder)).endswith("is put back and runs")
    assert contents(hub.space()) == before


def test_it_goes_back_past_what_was_never_seen_to_serve(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    before = contents(hub.space())
    hub.trouble["runtime"] = [HANG]
    kill_when_held(hub, changed(folder))
    hub.builds = [["BUILDING", "BUILD_ERROR"]]
    assert refusal(deploy(hub, written(folder, {"src/third.py": b""}))).endswith("is put back and runs")
    assert contents(hub.space()) == before


def test_a_first_one_that_does_not_run_leaves_the_space_empty(hub: Hub, folder: Path) -> None:
    hub.builds = [["BUILDING", "BUILD_ERROR"]]
    assert refusal(deploy(hub, folder)).endswith("was empty before, and is empty again")
    assert set(contents(hub.space())) == {"README.md"}


def test_what_takes_too_long_makes_way(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    hub.builds = [["BUILDING"]]
    said = refusal(deploy(hub, changed(folder), "--time-limit", "1"))
    assert "does not run after" in said
    assert said.endswith("is put back and runs")


def test_what_has_served_before_is_not_replaced_by_something_older(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    assert deploy(hub, changed(folder)).exit_code == 0
    hub.space().stages = ["RUNTIME_ERROR"]
    assert refusal(deploy(hub, folder)).endswith("this revision has served before, so nothing is changed")
    assert len(hub.space().titles()) == 3


def test_where_the_previous_one_does_not_run_either_it_says_so(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    hub.builds = [["BUILDING", "BUILD_ERROR"], ["BUILDING", "RUNTIME_ERROR"]]
    said = refusal(deploy(hub, changed(folder)))
    assert "is not back: revision" in said
    assert said.endswith("run this again")


def test_a_space_that_sleeps_is_woken(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    hub.space().stages = ["PAUSED"]
    assert deploy(hub, folder).exit_code == 0
    assert "restart" in hub.calls


def test_what_somebody_else_commits_meanwhile_is_not_overwritten(hub: Hub, folder: Path) -> None:
    assert deploy(hub, folder).exit_code == 0
    hub.trouble["commit"] = [412]
    assert "somebody else has changed marie/churn meanwhile" in refusal(deploy(hub, changed(folder)))
    assert len(hub.space().titles()) == 2


@pytest.mark.parametrize("trouble", [500, 503, DONE_BUT_CUT])
def test_an_upload_that_fails_once_is_tried_again(hub: Hub, folder: Path, trouble: int) -> None:
    hub.trouble["commit"] = [trouble]
    done = deploy(hub, folder)
    assert done.exit_code == 0, done.stderr
    assert contents(hub.space()) == FILES
    assert len(hub.space().titles()) == 2


@pytest.mark.parametrize(
    ("call", "trouble", "why"),
    [
        ("whoami", [401], "the hub does not accept this token"),
        ("whoami", [500], "answers 500: run this again later"),
        ("info", [502], "answers 502: run this again later"),
        ("create", [403], "this token may not write to marie/churn"),
        ("create", [500], "answers 500: run this again later"),
        ("secret", [429], "answers 429: run this again later"),
        ("commit", [500, 500], "answers 500: run this again later"),
        ("store", [403, 403], "the upload was interrupted (Error while uploading 'models/rows.npz'"),
        ("commit", [400], "the hub refuses this, with 400"),
        ("info", [HANG], "does not answer (ReadTimeout): run this again later"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence_and_changes_nothing(
    hub: Hub, folder: Path, call: str, trouble: list[int | None], why: str
) -> None:
    hub.trouble[call] = trouble
    said = refusal(deploy(hub, folder, "--answer-limit", "2"))
    assert why in said
    assert "\n" not in said
    assert not hub.repositories or len(hub.space().titles()) == 1


def test_a_hub_that_is_away_while_the_space_is_built_is_asked_again(hub: Hub, folder: Path) -> None:
    hub.trouble["runtime"] = [500, 503]
    hub.trouble["info"] = [None, None, 500]
    assert deploy(hub, folder).exit_code == 0


@pytest.mark.parametrize(
    ("sdk", "files"),
    [("gradio", {"README.md": b"---\nsdk: gradio\n---\n"}), ("docker", {"Dockerfile": b"", "app.py": b""})],
)
def test_the_space_of_another_application_is_left_alone(
    hub: Hub, folder: Path, sdk: str, files: dict[str, bytes]
) -> None:
    hub.add(f"spaces/{NAME}", sdk, files)
    assert "the name marie/churn is taken by" in refusal(deploy(hub, folder))
    assert contents(hub.space()) == files
    assert hub.space().secrets == {}


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        (NAME, {"HF_TOKEN": "hf_wrong"}, "the hub does not accept this token"),
        (NAME, {"HF_TOKEN": ""}, "HF_TOKEN is not set"),
        (NAME, {"API_TOKEN": ""}, "API_TOKEN is not set"),
        (NAME, {"HF_ENDPOINT": "http://127.0.0.1:1"}, "does not answer (ConnectError)"),
        ("acme/churn", {}, "this token may not write to acme/churn"),
        ("a name/of/none", {}, "is no name of a Space"),
        ("", {}, "is no name of a Space"),
        ("churn", {}, "is no name of a Space"),
    ],
    ids=[
        "wrong token",
        "no token",
        "no API_TOKEN",
        "no hub",
        "another's name",
        "no name",
        "an empty name",
        "no owner",
    ],
)
def test_what_is_missing_or_wrong_is_a_sentence(
    hub: Hub, folder: Path, name: str, changes: dict[str, str], why: str
) -> None:
    assert why in refusal(deploy(hub, folder, name=name, **changes))
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"src/.env": b""}, "src/.env must not be in it"),
        ({"src/notes.txt": API_TOKEN.encode()}, "src/notes.txt holds a credential"),
        ({"src/index.txt": b"https://ci:s3cret@example.org/simple"}, "src/index.txt holds a credential"),
        ({"README.md": b"no front matter"}, "holds no Space with a Bento: write one with `make space"),
    ],
    ids=["settings", "a token", "an address", "no Space"],
)
def test_a_folder_that_must_not_travel_is_refused(
    hub: Hub, folder: Path, files: dict[str, bytes], why: str
) -> None:
    assert why in refusal(deploy(hub, written(folder, files)))
    assert hub.calls == []


def test_without_the_extra_it_says_how_to_get_it(hub: Hub, folder: Path) -> None:
    hidden = "import sys; sys.modules['huggingface_hub'] = None; from churn.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", hidden, "deploy", "space", NAME, "--from", str(folder)],
        cwd=PROJECT, env=settings(hub), capture_output=True, text=True,
    )  # fmt: skip
    assert "pip install 'churn[deploy]'" in refusal(done)


def test_the_step_of_the_workflow_deploys_with_what_github_gives_it(hub: Hub, folder: Path) -> None:
    workflow = yaml.safe_load((PROJECT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8"))
    [step] = [step for step in workflow["jobs"]["space"]["steps"] if "HF_TOKEN" in step.get("env", {})]
    unset = dict.fromkeys(step["env"], "")  # what GitHub makes of secrets and variables that nobody set
    given = {**unset, "SPACE": NAME, "HF_TOKEN": TOKEN, "API_TOKEN": API_TOKEN}
    done = subprocess.run(
        ["bash", "-euc", f'{step["run"]} FROM="$0" PYTHON="$1"', folder, sys.executable],
        cwd=PROJECT, env=environment(HF_ENDPOINT=hub.url, HF_HUB_DISABLE_XET="1", **given),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert contents(hub.space()) == FILES
    assert hub.space().secrets == {"API_TOKEN": API_TOKEN}
