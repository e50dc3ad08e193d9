"""Release a version by Gitflow: each call does the step that the current branch is for.

On `develop` it cuts `release/VERSION` and commits the version and the changelog's heading there; on that
branch, or on a `hotfix/…`, it commits them in place; on `main`, after the merge, it tags. It pushes nothing.
With --notes it prints what the changelog says of a version, and refuses one that is not the package's.
"""

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

VERSION_FILE, CHANGELOG = Path("churn/__init__.py"), Path("CHANGELOG.md")
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_ASSIGNED = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)
_SECTION = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!## ).*\n?)*)", re.MULTILINE)
_UNRELEASED = "Unreleased"


class ReleaseError(Exception):
    """Why nothing is released, in one sentence that says what to do."""


def git(*arguments: str) -> str:
    """Return what git prints.

    Raises:
        ReleaseError: git refused.
    """
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S607
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def parts(version: str) -> tuple[int, ...]:
    """Return a version as numbers, to be compared.

    Raises:
        ReleaseError: it is none of ours.
    """
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is no version: expected three numbers, like VERSION=1.2.0")
    return tuple(map(int, version.split(".")))


def current() -> str:
    """Return the package's version, as its one place has it."""
    found = _ASSIGNED.search(VERSION_FILE.read_text(encoding="utf-8"))
    if not found:
        raise ReleaseError(f'{VERSION_FILE} has no line __version__ = "…": put it back')
    return found[1]


def sections() -> dict[str, str]:
    """Return what the changelog says, by version or `Unreleased`."""
    changelog = CHANGELOG.read_text(encoding="utf-8")
    return {found["title"].split()[0]: found["text"].strip() for found in _SECTION.finditer(changelog)}


def notes(version: str) -> str:
    """Return what the changelog says of the package's version.

    Raises:
        ReleaseError: it is not the package's, or the changelog does not know it.
    """
    parts(version)
    if version != current():
        raise ReleaseError(f"this is churn {current()}, not {version}: check out what v{version} tags")
    if not (text := sections().get(version)):
        raise ReleaseError(f"{CHANGELOG} says nothing of {version}: run `make release VERSION={version}`")
    return text


def check_is_next(version: str) -> None:
    """Accept a version that comes after all others.

    Raises:
        ReleaseError: it does not, or the changelog has nothing new.
    """
    tagged = [tag.removeprefix("v") for tag in git("tag", "--list", "v*").split()]
    released = [one for one in (*tagged, *sections()) if _VERSION.fullmatch(one)]
    highest = max(released, key=parts, default="")
    if highest and parts(version) <= parts(highest):
        raise ReleaseError(f"{version} does not come after {highest}, which is released: choose a higher one")
    if parts(version) < parts(current()):
        raise ReleaseError(f"{version} comes before {current()}, the package's own: choose a higher one")
    if not sections().get(_UNRELEASED):
        raise ReleaseError(f"{CHANGELOG} says nothing under “## {_UNRELEASED}”: write what is new first")


def prepare(version: str) -> None:
    """Write the version and the changelog's heading, and commit both."""
    package = VERSION_FILE.read_text(encoding="utf-8")
    VERSION_FILE.write_text(_ASSIGNED.sub(f'__version__ = "{version}"', package), encoding="utf-8")
    heading = f"## {_UNRELEASED}\n\n## {version} – {datetime.now(UTC).date()}"
    changelog = CHANGELOG.read_text(encoding="utf-8")
    CHANGELOG.write_text(
        re.sub(rf"^## {_UNRELEASED}$", heading, changelog, count=1, flags=re.MULTILINE), encoding="utf-8"
    )
    git("commit", "--quiet", "--message", f"Release {version}", "--", str(VERSION_FILE), str(CHANGELOG))


def tag(version: str) -> str:
    """Tag what `main` was merged to, and return what to do next."""
    notes(version)
    name = f"v{version}"
    if git("tag", "--list", name):
        raise ReleaseError(f"{name} is tagged already: choose a higher version, on develop")
    git("tag", "--annotate", name, "--message", f"churn {version}")
    return (
        f"{name} is tagged. Push it, and merge main back: git push origin {name} && "
        f"git switch develop && git merge main && git push"
    )


def release(version: str) -> str:
    """Do the step that the current branch is for, and return what to do next.

    Raises:
        ReleaseError: the version, the branch, the tree or the changelog is not as it should be; nothing is
            changed.
    """
    parts(version)
    branch = git("branch", "--show-current")
    own = f"release/{version}"
    if branch not in ("develop", "main", own) and not branch.startswith("hotfix/"):
        raise ReleaseError(
            f"a release begins on develop, {own} or hotfix/…, and is tagged on main: "
            f"this is {branch or 'no branch'}; git switch to one of them"
        )
    if git("status", "--porcelain"):
        raise ReleaseError("there are changes that are not committed: commit them, or put them aside")
    if branch == "main":
        return tag(version)
    check_is_next(version)
    if branch == "develop":
        git("switch", "--quiet", "--create", own)
        branch = own
    prepare(version)
    return (
        f"{version} is committed on {branch}. Push it, open a pull request to main, and run "
        f"`make release VERSION={version}` on main once it is merged: git push -u origin {branch}"
    )


def main() -> int:
    """Do the step and say the next, or say in a sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="three numbers, like 1.2.0; a tag's v before them is dropped")
    parser.add_argument("--notes", action="store_true", help="print what the changelog says of it")
    options = parser.parse_args()
    version = options.version.removeprefix("v")
    try:
        print(notes(version) if options.notes else release(version))
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
