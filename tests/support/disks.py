"""Small file systems, each for the time of one command."""

import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

_OWN = ("unshare", "--map-root-user", "--mount")


def small_disk(folder: Path, size: str, contents: Path | None = None) -> Sequence[str]:
    """Return a command that runs the command after it with a small file system in a folder.

    At first this holds a copy of `contents`. Where nothing may be mounted the test is skipped; in CI it
    fails.
    """
    mount = f"mount -t tmpfs -o size={size} tmpfs {folder}"
    tried = subprocess.run([*_OWN, "sh", "-c", mount], capture_output=True, text=True, check=False)
    if tried.returncode:
        assert not os.environ.get("CI"), tried.stderr
        pytest.skip("may not mount")
    copy = f"cp -a {contents}/. {folder}" if contents else "true"
    return [*_OWN, "sh", "-c", f'{mount} && {copy} && exec "$@"', "sh"]


def fill(file: Path) -> None:
    """Fill a disk, to the last byte, with one file."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (2**20, 2**12, 1):
            while _takes(descriptor, size):
                pass
    finally:
        os.close(descriptor)


def _takes(descriptor: int, size: int) -> bool:
    try:
        return os.write(descriptor, bytes(size)) > 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
