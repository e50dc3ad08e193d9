"""Salts: no two are the same, in one process and in one that it has become."""

import subprocess
import sys

from churn.journal.salts import DRAWN, SALT_BYTES, new_salt
from harness.servers import PROJECT

FORK = """
import os
from churn.journal.salts import new_salt
new_salt()
if child := os.fork():
    os.waitpid(child, 0)  # two that write at a time would mix their words
print(*[new_salt() for _ in range(10)], flush=True)
"""


def test_each_is_new() -> None:
    salts = {new_salt() for _ in range(3 * DRAWN)}
    assert len(salts) == 3 * DRAWN
    assert {len(bytes.fromhex(salt)) for salt in salts} == {SALT_BYTES}


def test_a_process_and_its_copy_have_none_in_common() -> None:
    command = [sys.executable, "-c", FORK]
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert len(set(told.stdout.split())) == 20
