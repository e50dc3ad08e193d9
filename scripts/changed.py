"""The tests of what changed since a branch, for `make check`.

python -m scripts.changed [main] prints the test files that changed, those named after a changed module, and
where none is, those that import it; of other files, those of the folder; not those that take long, which
`make test` has.
"""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
# Of files that are no modules, by where they are.
TESTS_OF = {
    ".ci": {"test_workflows"},
    ".github": {"test_workflows", "test_supply_chain"},
    "Makefile": {"test_workflows"},
    "deploy": {"test_servers", "test_monitoring"},
    "docs": {"test_docs"},
}
ALWAYS = {"test_house", "test_messages"}
LONG = {
    f"test_{name}"
    for name in (
        *(
            "bundle",
            "cli",
            "connections",
            "crash",
            "first_start",
            "gate",
            "job_process",
            "jobs",
            "leaks",
            "openapi",
            "outage",
        ),
        *("process", "readme", "report", "service", "training"),
    )
}


def main() -> None:
    """Print them in a line; on standard error, which were left out."""
    tests = {path.stem: path.read_text(encoding="utf-8") for path in PROJECT.glob("tests/test_*.py")}
    wanted = ALWAYS.union(*(_of(path, tests) for path in _changed(*sys.argv[1:2] or ["main"])))
    if left := sorted(wanted & LONG):
        print(f"left to `make test`: {' '.join(left)}", file=sys.stderr)
    print(*(f"tests/{name}.py" for name in sorted(wanted - LONG)))


def _changed(branch: str) -> list[Path]:
    """Return the files that are not as they were where this branch began."""
    listed = [
        ["git", "diff", "--name-only", "--merge-base", branch],
        ["git", "ls-files", "--others", "--exclude-standard"],
    ]
    found: list[Path] = []
    for command in listed:
        said = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
        found += map(Path, said.splitlines())
    return found


def _of(path: Path, tests: dict[str, str]) -> set[str]:
    """Return the names of the tests of a file."""
    if path.suffix != ".py":
        return TESTS_OF.get(path.parts[0], set())
    for name in (path.stem, f"test_{path.stem}"):
        if name in tests:
            return {name}
    package, _, name = ".".join(path.with_suffix("").parts).removesuffix(".__init__").rpartition(".")
    line = rf"^from {re.escape(package)}(\.{name} import |\ import .*\b{name}\b)"
    return {test for test, text in tests.items() if re.search(line, text, re.MULTILINE)}


if __name__ == "__main__":
    main()
