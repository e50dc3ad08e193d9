"""Small file systems, each for one command: it goes with the command."""

import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

_OWN = ("unshare", "--map-root-user", "--mount")


def small_disk(folder: Path, size: str, contents: Path | None = None) -> Sequence[str]:
    """Return a command that runs the one that follows it with a small file system in a folder.

    It holds a copy of what is in `contents` at first. Where nothing may be mounted the test is skipped; in CI
    it fails.
    """
    mount = f"mount -t tmpfs -o size={size} tmpfs {folder}"
    tried = subprocess.run([*_OWN, "sh", "-c", mount], capture_output=True, text=True, check=False)
    if tried.returncode:
        assert not os.environ.get("CI"), tried.stderr
        pytest.skip("may not mount")
    copy = f"cp -a {contents}/. {folder}" if contents else "true"
    return [*_OWN, "sh", "-c", f'{mount} && {copy} && exec "$@"', "sh"]


def fill(file: Path) -> None:
    """Take all the room of a disk, to the last byte, by one file."""
    taken = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (2**20, 2**12, 1):
            while _takes(taken, size):
                pass
    finally:
        os.close(taken)


def _takes(number: int, size: int) -> bool:
    try:
        return os.write(number, bytes(size)) > 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
