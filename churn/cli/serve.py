"""`churn serve`: the service, by `bentoml serve`."""

import os
import socket
import sys

import click

from churn import PROJECT
from churn.core.errors import SettingsError
from churn.core.settings import KEEP_ALIVE, load


@click.command()
@click.option("--host", help="Address to listen on.  [default: CHURN_HOST, or 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: PORT, or 3000]")
@click.option(
    "--keep-alive",
    type=click.IntRange(1, 3600),
    default=KEEP_ALIVE,
    show_default=True,
    help="Seconds for which an idle connection is kept; load balancers' own time has to be shorter.",
)
def serve(host: str | None, port: int | None, keep_alive: int) -> None:
    """Serve predictions; stops on Ctrl-C, restarts its workers one by one on SIGHUP.

    Refuses to start without a model, a database at head, or a free port, and says what mends it.
    """
    settings = load()
    host, port = host or settings.host, port or settings.port
    _check_port(host, port)
    command = ["serve", "service:Churn", "--host", host, "--port", str(port), "--working-dir", str(PROJECT)]
    command += ["--timeout-keep-alive", str(keep_alive)]
    # BentoML is told these at the service's import, which reads the environment alone.
    os.environ["CHURN_WORKERS"] = str(settings.workers)
    os.environ["CHURN_ACCESS_LOG"] = str(settings.access_log)
    os.environ["CHURN_TRUSTED_PROXIES"] = ",".join(settings.trusted_proxies)
    sys.stdout.flush()
    # Replaced, not wrapped: signals and the exit code are then the server's own.
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", *command])  # noqa: S606


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
