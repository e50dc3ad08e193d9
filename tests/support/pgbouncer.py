"""A real PgBouncer for the tests: in transaction mode, otherwise as Debian's package has it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from harness.servers import free_port

_PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
server_login_retry = {retry}
"""


@contextmanager
def pooled(url: str, size: int = 20, retry: float = 15) -> Iterator[str]:
    """Yield the URL of the same database behind a PgBouncer of the caller's own.

    All clients share `size` sessions of PostgreSQL. After `retry` seconds it tries again to reach a server
    that was gone. The defaults are PgBouncer's own.
    """
    if _PROGRAM is None:
        assert not os.environ.get("CI"), "CI has to install pgbouncer"
        pytest.skip("needs pgbouncer (on Debian: apt-get install pgbouncer)")
    parsed, own_port = make_url(url), free_port()
    if parsed.host is None:
        pytest.skip("needs a PostgreSQL that listens on TCP")
    with tempfile.TemporaryDirectory(prefix="churn-pgbouncer-", dir="/tmp") as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(
            _CONFIGURATION.format(
                host=parsed.host,
                port=parsed.port,
                user=parsed.username,
                own_port=own_port,
                size=size,
                retry=retry,
            )
        )
        account = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        if account:
            shutil.chown(folder, account)
            shutil.chown(file, account)
        process = subprocess.Popen(
            [_PROGRAM, str(file)], user=account, stderr=subprocess.PIPE, text=True, cwd=folder
        )
        try:
            _await_start(process)
            yield parsed.set(host="127.0.0.1", port=own_port).render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.communicate()


def _await_start(process: "subprocess.Popen[str]") -> None:
    output = []
    for line in process.stderr or ():
        output.append(line)
        if "process up" in line:
            return
    raise AssertionError("".join(output))
