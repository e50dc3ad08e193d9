"""`churn health`: whether the service is ready, with all its workers."""

import json
import urllib.error
import urllib.request
from typing import Any

import click

from churn.core.errors import ServiceError
from churn.core.settings import Settings, load

# What a service that listens on every address of the machine is asked on.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing listens here


@click.command()
@click.option("--within", type=click.FloatRange(0.1, 60), default=5, show_default=True, metavar="SECONDS")
def health(within: float) -> None:
    """Check the service that runs here, on CHURN_HOST and PORT. If it is not well, the exit code is 1.

    It is well when it is ready and all CHURN_WORKERS serve.
    """
    settings = load()
    answer = _ask(settings, within)
    if (serving := answer.get("workers", 0)) < settings.workers:
        raise ServiceError(
            f"{serving} of {settings.workers} workers serve: the others are starting, or fail to"
        )
    click.echo(f"ready: {serving} of {settings.workers} workers serve, the database is {answer['database']}")


def _ask(settings: Settings, within: float) -> dict[str, Any]:
    """Return the answer of `/readyz`.

    Raises:
        ServiceError: there is none in time, or the service is not ready.
    """
    host = _LOOPBACK.get(settings.host, settings.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{address}/readyz", timeout=within) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        raise ServiceError(f"the service on {address} is not ready: {_message(error)}") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise ServiceError(f"no service answers on {address} within {within:g} seconds ({reason})") from None
    return answer


def _message(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.code}"
