"""Install the uv that uv.lock pins into .uv/, with nothing but Python.

By this Python's pip. Where it has none, by that of a virtual environment; where it can make none (Debian
splits both off), from the wheel that uv.lock names, checked against its hash.
"""

import hashlib
import importlib.util
import io
import os
import platform
import shutil
import subprocess
import sys
import tomllib
import urllib.request
import venv
import zipfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
HOME = PROJECT / ".uv"


def main() -> int:
    """Install uv unless the pinned version is there; return the exit code."""
    package = locked_package()
    stamp = HOME / f"version-{package['version']}"
    if stamp.exists():
        return 0
    shutil.rmtree(HOME, ignore_errors=True)  # another version; pip replaces nothing
    HOME.mkdir()
    if importlib.util.find_spec("pip"):  # making the environment takes longer than all the rest
        install_by_pip(package, sys.executable)
    elif importlib.util.find_spec("ensurepip"):
        home = HOME / "pip"
        venv.create(home, with_pip=True)
        install_by_pip(package, str(home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")))
    else:
        install_wheel(package)
    stamp.touch()
    return 0


def locked_package() -> dict[str, Any]:
    """Return uv's entry in uv.lock."""
    lock = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(p for p in lock["package"] if p["name"] == "uv")
    return found


def install_by_pip(package: dict[str, Any], python: str) -> None:
    """Install with pip, which honours the machine's index and proxy settings, what the hashes name."""
    hashes = [f"--hash={wheel['hash']}" for wheel in package["wheels"]]
    wanted = HOME / "requirements.txt"
    wanted.write_text(" ".join([f"uv=={package['version']}", *hashes]) + "\n", encoding="utf-8")
    command = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:"]
    command += ["--no-deps", "--target", str(HOME), "-r", str(wanted)]
    # What people set for packages of their own contradicts the target.
    own = {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_USER": "0", "PIP_ROOT_USER_ACTION": "ignore"}
    subprocess.run(command, env={**os.environ, **own}, check=True)


def install_wheel(package: dict[str, Any]) -> None:
    """Download this platform's wheel, check its hash and unpack the one file that matters."""
    wheel = next(w for w in package["wheels"] if matches(w["url"].rpartition("/")[2]))
    with urllib.request.urlopen(wheel["url"]) as response:  # noqa: S310 - https, from uv.lock
        content = response.read()
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != wheel["hash"]:
        raise SystemExit("the downloaded uv is not the one of uv.lock: try again, or install uv yourself")
    target = HOME / "bin" / "uv"
    target.parent.mkdir()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("/scripts/uv"))
        target.write_bytes(archive.read(name))
    target.chmod(0o755)


def matches(wheel: str) -> bool:
    """Return whether a Linux wheel is for this machine: its processor and its C library."""
    machine = platform.machine().lower()
    libc = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return libc in wheel and wheel.endswith(f"{machine}.whl")


if __name__ == "__main__":
    sys.exit(main())
