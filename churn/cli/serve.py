"""`churn serve`: the service."""

import os
import socket
import sys
import tempfile

import click

from churn.core.errors import SettingsError
from churn.core.settings import KEEP_ALIVE, Settings, load


@click.command()
@click.option("--host", help="Address to listen on.  [default: CHURN_HOST, or 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: PORT, or 3000]")
@click.option(
    "--keep-alive",
    type=click.IntRange(1, 3600),
    default=KEEP_ALIVE,
    show_default=True,
    help="Seconds that an idle connection stays open; a load balancer has to close it sooner.",
)
def serve(host: str | None, port: int | None, keep_alive: int) -> None:
    """Serve predictions until Ctrl-C. SIGHUP restarts the workers one by one.

    Without a model, an up-to-date database or a free port, it does not start and says what to do.
    """
    start(load(), host, port, keep_alive)


def start(
    settings: Settings, host: str | None = None, port: int | None = None, keep_alive: int = KEEP_ALIVE
) -> None:
    """Serve until a signal ends it, in this very process.

    Raises:
        SettingsError: the address cannot be listened on, nothing takes temporary files, or BentoML refuses
            its configuration.
    """
    host, port = host or settings.host, port or settings.port
    _check_port(host, port)
    _check_temporary_files()
    # The service, and BentoML, read these at their import, from the environment alone.
    os.environ["CHURN_WORKERS"] = str(settings.workers)
    os.environ["CHURN_ACCESS_LOG"] = str(settings.access_log)
    os.environ["CHURN_TRUSTED_PROXIES"] = ",".join(settings.trusted_proxies)
    # Imported here, after those.
    from churn.web.server.serving import serve as serve_here  # noqa: PLC0415

    sys.stdout.flush()
    serve_here(host, port, keep_alive)


def _check_port(host: str, port: int) -> None:
    """Refuse a port that something listens on.

    Raises:
        SettingsError: the port is taken or not allowed, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {host}:{port} ({error.strerror}): "
                f"stop what uses the port, or choose another with PORT={port % 65535 + 1}"
            ) from error


def _check_temporary_files() -> None:
    """Refuse a machine that takes no temporary files, as a container with a read-only root and no /tmp.

    Raises:
        SettingsError: no folder for them can be written.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise SettingsError(
            "no folder takes temporary files: let /tmp be written (in a container, by --tmpfs /tmp), or name "
            "another folder in TMPDIR"
        ) from error
