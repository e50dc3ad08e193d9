"""The supply chain: known vulnerabilities of what uv.lock names, licences, workflows, secrets in the tree.

`python scripts/audit.py` asks all four of the project it is run in, and ends with 1 where one finds any.
What may pass all the same stands in pyproject.toml under `tool.churn.audit`, with a reason each.
"""

import argparse
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PARTS = ("vulnerabilities", "licences", "workflows", "secrets")
ADVISORIES = "https://api.osv.dev"
UNREACHABLE = "error sending request for url ({}"  # uv's words where no answer came; others are failures
OUR_TOKENS = Path(__file__).with_name("token_detector.py")


@dataclass(frozen=True)
class Verdict:
    """What a part found, in words, and whether that is well."""

    is_good: bool
    words: str


def main() -> int:
    """Ask each part, print its verdict, and return the exit code."""
    parser = argparse.ArgumentParser(description="Known vulnerabilities, licences, workflows, secrets.")
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all of them by default")
    parser.add_argument("--online", action="store_true", help="advisories out of reach are a failure")
    parser.add_argument("--advisories", default=ADVISORIES, help="the service that is asked, as OSV")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: expected any of {', '.join(PARTS)}")
    allowed = allowances()
    parts: Mapping[str, Callable[[], Verdict]] = {
        "vulnerabilities": partial(vulnerabilities, allowed, arguments.advisories, arguments.online),
        "licences": partial(licences, allowed),
        "workflows": workflows,
        "secrets": partial(secrets, allowed),
    }
    verdicts = []
    for name in arguments.parts or parts:
        verdict = parts[name]()
        print(f"{name}: {verdict.words}", flush=True)
        verdicts.append(verdict)
    return 0 if all(verdict.is_good for verdict in verdicts) else 1


def allowances() -> dict[str, Sequence[dict[str, Any]]]:
    """Return what may pass, from pyproject.toml; ends where a reason or a date is missing."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Sequence[dict[str, Any]]] = project["tool"]["churn"]["audit"]
    needed: dict[str, dict[str, type]] = {
        "vulnerabilities": {"id": str, "reason": str, "until": date},
        "licences": {"names": list, "reason": str},
        "licensed_otherwise": {"package": str, "licence": str, "reason": str},
        "not_secrets": {"text": str, "reason": str},
    }
    for name, keys in needed.items():
        for entry in found[name]:
            if any(type(entry.get(key)) is not kind or not entry[key] for key, kind in keys.items()):
                raise SystemExit(f"pyproject.toml: an entry of {name} needs {', '.join(keys)}: {entry}")
    return found


def vulnerabilities(
    allowed: Mapping[str, Sequence[dict[str, Any]]], advisories: str, is_online: bool
) -> Verdict:
    """Ask the advisories about every package of the lock file, those for developing included."""
    command = [sys.executable, "-m", "uv", "audit", "--frozen", "--no-config"]
    command += ["--preview-features", "audit-command", "--service-url", advisories]
    today = datetime.now(UTC).date()
    for entry in allowed["vulnerabilities"]:
        if entry["until"] >= today:
            command += ["--ignore", entry["id"]]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode == 2 and UNREACHABLE.format(advisories) in ran.stderr:
        return Verdict(not is_online, f"NOT CHECKED: {advisories} cannot be reached from here")
    return Verdict(ran.returncode == 0, (ran.stdout + ran.stderr).strip())


def licences(allowed: Mapping[str, Sequence[dict[str, Any]]]) -> Verdict:
    """Compare the licences of what serving installs, Gradio included, with those that may be."""
    command = [sys.executable, "-m", "uv", "export", "--quiet", "--frozen", "--no-config", "--no-dev"]
    command += ["--extra", "ui", "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate"]
    exported = subprocess.run(command, capture_output=True, text=True, check=False)
    if exported.returncode:
        return Verdict(False, exported.stderr.strip())
    required = map(Requirement, exported.stdout.splitlines())
    names = {one.name for one in required if one.marker is None or one.marker.evaluate()}
    command = [command_of("pip-licenses"), "--python", sys.executable, "--format=json", "--with-system"]
    listed = subprocess.run([*command, "--packages", *names], capture_output=True, text=True, check=True)
    found = {_normalized(one["Name"]): one["License"] for one in json.loads(listed.stdout)}
    may_be = {name for entry in allowed["licences"] for name in entry["names"]}
    otherwise = {(entry["package"], entry["licence"]) for entry in allowed["licensed_otherwise"]}
    refused = [
        f"  {name}: {licence}"
        for name, licence in sorted(found.items())
        if licence not in may_be and (name, licence) not in otherwise
    ]
    if missing := sorted(names - found.keys()):
        return Verdict(False, f"not installed, and so not looked at: {', '.join(missing)}")
    if refused:
        advice = "nobody has looked at these; read them, and say so in pyproject.toml or do without"
        return Verdict(False, "\n".join([advice, *refused]))
    return Verdict(True, f"known, of {len(found)} packages")


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def workflows() -> Verdict:
    """Ask zizmor about what GitHub runs, by the strictest rules that need no network."""
    command = [command_of("zizmor"), "--offline", "--persona=pedantic", "--strict-collection"]
    command += ["--quiet", "--no-progress", "--color=never", ".github"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return Verdict(ran.returncode == 0, (ran.stdout + ran.stderr).strip())


def secrets(allowed: Mapping[str, Sequence[dict[str, Any]]]) -> Verdict:
    """Look for secrets in what git tracks or would; nothing is sent anywhere to see whether it opens."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    files = [name for name in listed.split("\0") if Path(name).is_file()]
    no_secrets = "|".join(re.escape(entry["text"]) for entry in allowed["not_secrets"])
    command = [command_of("detect-secrets-hook"), "--json", "--no-verify", "-p", str(OUR_TOKENS)]
    # What is allowed stands in one place, with its reason: not in comments beside it.
    # Nor does a file pass by its name.
    for name in ("allowlist.is_line_allowlisted", "heuristic.is_lock_file", "heuristic.is_swagger_file"):
        command += ["--disable-filter", f"detect_secrets.filters.{name}"]
    command += ["--exclude-secrets", f"^(?:{no_secrets})$", "--", *files]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if not ran.stdout:
        if ran.returncode:
            return Verdict(False, ran.stderr.strip() or f"detect-secrets ended with {ran.returncode}")
        return Verdict(True, f"none in {len(files)} files")
    found = json.loads(ran.stdout)["results"]
    places = [f"  {file}:{one['line_number']}: {one['type']}" for file, of in found.items() for one in of]
    return Verdict(False, "\n".join(["found; take them out, and out of use", *places]))


def command_of(package: str) -> str:
    """Return the path of a command in this environment, whether or not that is the active one."""
    return str(Path(sysconfig.get_path("scripts")) / package)


if __name__ == "__main__":
    sys.exit(main())
