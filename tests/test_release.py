"""`make release`: what it checks, what it commits and tags on which branch, and where the version stands."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import churn
from churn.cli.main import main
from harness.servers import PROJECT

AUTHOR = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
NEWS = "# Changelog\n\n## Unreleased\n\n- Something new.\n\n## 1.0.0 – 2026-01-01\n\n- The first.\n"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *AUTHOR, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout on `develop`, whose `main` is at 1.0.0."""
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "Somebody")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "somebody@example.org")
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "__init__.py").write_text('"""A package."""\n\n__version__ = "1.0.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(NEWS, encoding="utf-8")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=Begin")
    git(tmp_path, "tag", "v1.0.0")
    git(tmp_path, "switch", "--quiet", "--create=develop")
    return tmp_path


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "scripts" / "release.py"), *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def state(folder: Path) -> tuple[str, ...]:
    """Return what a refused release must leave as it was."""
    return (git(folder, "show-ref"), git(folder, "status", "--short", "--branch"))


def test_a_release_goes_from_develop_by_its_own_branch_to_a_tag_on_main(checkout: Path) -> None:
    cut = release(checkout, "1.1.0")
    assert (cut.returncode, "git push -u origin release/1.1.0" in cut.stdout) == (0, True), cut
    assert git(checkout, "branch", "--show-current") == "release/1.1.0"
    assert git(checkout, "log", "-1", "--format=%s") == "Release 1.1.0"
    assert git(checkout, "status", "--porcelain") == ""
    assert '__version__ = "1.1.0"' in (checkout / "churn" / "__init__.py").read_text()
    today = datetime.now(UTC).date()
    changelog = (checkout / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## Unreleased\n\n## 1.1.0 – {today}\n\n- Something new.\n\n## 1.0.0 – " in changelog

    git(checkout, "switch", "--quiet", "main")
    git(checkout, "merge", "--quiet", "--no-ff", "--message=Merge", "release/1.1.0")
    tagged = release(checkout, "1.1.0")
    assert (tagged.returncode, "git push origin v1.1.0" in tagged.stdout) == (0, True), tagged
    assert git(checkout, "rev-parse", "v1.1.0^{commit}") == git(checkout, "rev-parse", "main")
    assert git(checkout, "cat-file", "-t", "v1.1.0") == "tag"

    noted = release(checkout, "--notes", "v1.1.0")
    assert (noted.returncode, noted.stdout) == (0, "- Something new.\n")
    again = release(checkout, "1.1.0")
    assert (again.returncode, "v1.1.0 is tagged already" in again.stderr) == (1, True)


def test_a_hotfix_is_released_where_it_is(checkout: Path) -> None:
    git(checkout, "switch", "--quiet", "--create=hotfix/wrong-sign", "main")
    assert release(checkout, "1.0.1").returncode == 0
    assert git(checkout, "branch", "--show-current") == "hotfix/wrong-sign"
    assert git(checkout, "log", "-1", "--format=%s") == "Release 1.0.1"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("", "'' is no version: expected three numbers"),
        ("1.1", "'1.1' is no version: expected three numbers"),
        ("1.1.0-rc1", "is no version: expected three numbers"),
        ("1.01.0", "is no version: expected three numbers"),
        ("1.0.0", "1.0.0 does not come after 1.0.0"),
        ("0.9.0", "0.9.0 does not come after 1.0.0"),
    ],
)
def test_another_version_is_refused(checkout: Path, version: str, said: str) -> None:
    check_refused(checkout, version, said)


@pytest.mark.parametrize("branch", ["feature/new", "release/1.0.5", "hotfix"])
def test_another_branch_is_refused(checkout: Path, branch: str) -> None:
    git(checkout, "switch", "--quiet", f"--create={branch}")
    check_refused(checkout, "1.1.0", f"this is {branch}; git switch")


def test_no_branch_at_all_is_refused(checkout: Path) -> None:
    git(checkout, "switch", "--quiet", "--detach")
    check_refused(checkout, "1.1.0", "this is no branch")


@pytest.mark.parametrize("file", ["CHANGELOG.md", "new.py"])
def test_a_tree_that_is_not_clean_is_refused(checkout: Path, file: str) -> None:
    with (checkout / file).open("a", encoding="utf-8") as changed:
        changed.write("more\n")
    check_refused(checkout, "1.1.0", "there are changes that are not committed")


def test_a_changelog_without_news_is_refused(checkout: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(NEWS.replace("- Something new.\n", ""), encoding="utf-8")
    git(checkout, "commit", "--all", "--quiet", "--message=Nothing new")
    check_refused(checkout, "1.1.0", "CHANGELOG.md says nothing under “## Unreleased”")


def test_main_is_not_tagged_with_what_was_not_merged(checkout: Path) -> None:
    git(checkout, "switch", "--quiet", "main")
    check_refused(checkout, "1.1.0", "this is churn 1.0.0, not 1.1.0")


def test_notes_of_another_version_are_refused(checkout: Path) -> None:
    ran = release(checkout, "--notes", "v1.1.0")
    assert (ran.returncode, "this is churn 1.0.0, not 1.1.0" in ran.stderr) == (1, True)


def test_where_there_is_no_git_it_says_so(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    ran = release(checkout, "1.1.0")
    assert (ran.returncode, "release: git branch: " in ran.stderr) == (1, True)
    assert "Traceback" not in ran.stderr


def check_refused(checkout: Path, version: str, said: str) -> None:
    before = state(checkout)
    ran = release(checkout, version)
    assert (ran.returncode, said in ran.stderr) == (1, True), ran
    assert len(ran.stderr.splitlines()) == 1
    assert state(checkout) == before


def test_the_version_stands_in_one_place_and_is_told_by_the_command_and_the_package() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "churn/__init__.py"
    assert importlib.metadata.version("churn") == churn.__version__
    assert re.search(rf"\b{re.escape(churn.__version__)}\b", CliRunner().invoke(main, ["--version"]).output)


def test_our_own_changelog_can_be_released() -> None:
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == "Unreleased"
