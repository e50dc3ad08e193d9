"""`make audit`: what it finds, what it lets pass, and what it says where it cannot know."""

import json
import secrets
import shutil
import string
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from churn.access.tokens import new_secret
from harness.servers import PROJECT, environment, free_port

VULNERABLE = {"name": "jinja2", "ecosystem": "PyPI"}
ADVISORY = {
    "id": "PYSEC-2099-1",
    "aliases": ["CVE-2099-0001"],
    "modified": "2099-01-01T00:00:00Z",
    "published": "2099-01-01T00:00:00Z",
    "summary": "Made up",
    "affected": [
        {
            "package": VULNERABLE,
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """Answers as OSV does, over HTTP; `asked` has the packages of each query."""

    known: ClassVar[Sequence[dict[str, Any]]] = ()
    status: ClassVar[int] = 200
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        self.asked.extend(queries)
        vulnerable = [entry["affected"][0]["package"] for entry in self.known]
        found = [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]
        self.answer({"results": [{"vulns": found} if q["package"] in vulnerable else {} for q in queries]})

    def do_GET(self) -> None:
        self.answer(next(entry for entry in self.known if self.path == f"/v1/vulns/{entry['id']}"))

    def answer(self, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def advisories(**of: Any) -> Iterator[str]:
    """Yield the address of a service of advisories."""
    handler = type("Answers", (Advisories,), of)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def audit(*arguments: str, of: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Run the audit of a folder."""
    command = [sys.executable, str(PROJECT / "scripts" / "audit.py"), *arguments]
    env = environment(UV_HTTP_RETRIES="0", NO_PROXY="127.0.0.1")
    return subprocess.run(command, cwd=of, env=env, check=False, capture_output=True, text=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a small project that nothing is wrong with."""
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(PROJECT / name, tmp_path)
    shutil.copytree(PROJECT / ".github", tmp_path / ".github")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def allow(project: Path, **entry: Any) -> None:
    """Let a vulnerability pass."""
    path = project / "pyproject.toml"
    line = ", ".join(f"{key} = {value}" for key, value in entry.items())
    [before, after] = path.read_text(encoding="utf-8").split("\nvulnerabilities = []")
    path.write_text(f"{before}\nvulnerabilities = [{{ {line} }}]{after}", encoding="utf-8")


def test_every_package_of_the_lock_file_is_asked_about() -> None:
    asked: list[dict[str, Any]] = []
    with advisories(asked=asked) as url:
        ran = audit("vulnerabilities", "--advisories", url)
    assert (ran.returncode, "no known vulnerabilities" in ran.stdout) == (0, True), ran
    served = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {line.partition(" ")[0] for line in served} <= {
        f"{q['package']['name']}=={q['version']}" for q in asked
    }
    assert {"ruff", "uv"} <= {query["package"]["name"] for query in asked}


def test_a_known_vulnerability_is_a_failure() -> None:
    with advisories(known=[ADVISORY]) as url:
        ran = audit("vulnerabilities", "--advisories", url)
    assert ran.returncode == 1
    assert "Found 1 known vulnerability" in ran.stdout
    assert "jinja2" in ran.stdout
    assert "PYSEC-2099-1" in ran.stdout


@pytest.mark.parametrize(("days", "code"), [(0, 0), (1, 0), (-1, 1)])
def test_one_with_a_reason_passes_until_its_day(project: Path, days: int, code: int) -> None:
    until = datetime.now(UTC).date() + timedelta(days=days)
    allow(project, id='"PYSEC-2099-1"', reason='"what it is about is not used"', until=until)
    with advisories(known=[ADVISORY]) as url:
        assert audit("vulnerabilities", "--advisories", url, of=project).returncode == code


@pytest.mark.parametrize("missing", ["reason", "until"])
def test_none_passes_without_a_reason_and_a_day(project: Path, missing: str) -> None:
    entry = {"id": '"PYSEC-2099-1"', "reason": '"none of ours"', "until": "2999-01-01"}
    allow(project, **{key: value for key, value in entry.items() if key != missing})
    ran = audit("secrets", of=project)
    assert ran.returncode == 1
    assert "pyproject.toml: an entry of vulnerabilities needs id, reason, until" in ran.stderr


def test_advisories_out_of_reach_are_said_to_be_and_fail_where_they_are_required() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for required, code in (([], 0), (["--online"], 1)):
        ran = audit("vulnerabilities", "--advisories", url, *required)
        assert ran.stdout == f"vulnerabilities: NOT CHECKED: {url} cannot be reached from here\n"
        assert ran.returncode == code


@pytest.mark.parametrize("status", [403, 500])
def test_advisories_that_answer_something_else_are_a_failure(status: int) -> None:
    with advisories(status=status) as url:
        ran = audit("vulnerabilities", "--advisories", url)
    assert (ran.returncode, f"({status} " in ran.stdout) == (1, True)


def test_a_lock_file_that_cannot_be_read_is_a_failure_out_of_reach_too(project: Path) -> None:
    (project / "uv.lock").write_text("version = ", encoding="utf-8")
    ran = audit("vulnerabilities", "--advisories", f"http://127.0.0.1:{free_port()}", of=project)
    assert (ran.returncode, "NOT CHECKED" in ran.stdout) == (1, False)


def test_what_serving_installs_has_licences_that_somebody_looked_at(project: Path) -> None:
    assert audit("licences").returncode == 0
    path = project / "pyproject.toml"
    looked_at = path.read_text(encoding="utf-8")
    for licence, package in (("ISC License (ISCL)", "shellingham"), ("psycopg2-binary", "psycopg2-binary")):
        path.write_text(looked_at.replace(f'"{licence}"', '"another"'), encoding="utf-8")
        ran = audit("licences", of=project)
        assert (ran.returncode, f"\n  {package}: " in ran.stdout) == (1, True), ran


def test_a_licence_passes_with_a_reason_alone(project: Path) -> None:
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    reason = '"asks that its text goes along, which every wheel brings"'
    path.write_text(text.replace(reason, '""'), encoding="utf-8")
    ran = audit("licences", of=project)
    assert (ran.returncode, "an entry of licences needs names, reason" in ran.stderr) == (1, True)


def test_the_workflows_are_clean_and_one_that_is_not_is_found(project: Path) -> None:
    assert audit("workflows").returncode == 0
    assert audit("workflows", of=project).returncode == 0
    path = project / ".github" / "workflows" / "ci.yml"
    pinned = path.read_text(encoding="utf-8")
    path.write_text(pinned.replace("contents: read", "contents: write"), encoding="utf-8")
    ran = audit("workflows", of=project)
    assert (ran.returncode, "excessive-permissions" in ran.stdout) == (1, True)


def test_the_tree_holds_no_secret() -> None:
    ran = audit("secrets")
    assert ran.returncode == 0, ran.stdout


def random_text() -> str:
    # No character twice: a text that looks random whatever is drawn.
    return "".join(secrets.SystemRandom().sample(string.ascii_letters + string.digits, 40))


# A file, its text, and what is put into it; made when the test runs, or they would be found in this file.
SECRETS: list[tuple[str, str, Callable[[], str]]] = [
    (".env", "API_PASSWORD={}", random_text),
    ("notes.md", "Marie's is {}.", new_secret),
    ("deploy.yaml", "url: postgresql://churn:{}@db/churn", secrets.token_urlsafe),
    ("pip.conf", "index-url = https://ci:{}@pypi.example/simple", secrets.token_urlsafe),
    ("id_rsa", "-----BEGIN RSA {}-----", lambda: "PRIVATE" + " KEY"),
    ("cloud.py", 'KEY = "AKIA{}"', lambda: secrets.token_hex(8).upper()),
    ("random.py", 'SIGNED_WITH = "{}"  # pragma: allowlist secret', random_text),
]


@pytest.mark.parametrize("is_tracked", [True, False])
def test_secrets_are_found_and_not_shown(project: Path, is_tracked: bool) -> None:
    made = {file: make() for file, _, make in SECRETS}
    for file, text, _ in SECRETS:
        (project / file).write_text(text.format(made[file]), encoding="utf-8")
    if is_tracked:
        subprocess.run(["git", "add", "--force", *made], cwd=project, check=True)
    ran = audit("secrets", of=project)
    assert ran.returncode == 1
    for file, secret in made.items():
        assert f"  {file}:1: " in ran.stdout
        assert secret not in ran.stdout


def test_no_file_passes_by_its_name(project: Path) -> None:
    names = ("--exclude-files=.*", "swagger.json", "package-lock.json")
    for name in names:
        (project / name).write_text(f'API_PASSWORD = "{random_text()}"\n', encoding="utf-8")
    ran = audit("secrets", of=project)
    assert ran.returncode == 1
    for name in names:
        assert f"  {name}:1: " in ran.stdout


def test_an_unknown_part_is_refused() -> None:
    ran = audit("everything")
    assert (ran.returncode, "expected any of vulnerabilities" in ran.stderr) == (2, True)


def test_what_looks_like_one_passes_with_a_reason_alone(project: Path) -> None:
    (project / "notes.md").write_text("postgresql://user:password@host/churn\n", encoding="utf-8")
    assert audit("secrets", of=project).returncode == 0
    path = project / "pyproject.toml"
    unreasoned = path.read_text(encoding="utf-8").replace(
        '"stands for one in the addresses of the docs"', '""'
    )
    path.write_text(unreasoned, encoding="utf-8")
    ran = audit("secrets", of=project)
    assert (ran.returncode, "an entry of not_secrets needs text, reason" in ran.stderr) == (1, True)
