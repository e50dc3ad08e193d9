"""Patches of BentoML 1.4.39 and uvicorn 0.54, where neither has a setting.

What replaces whole modules is in `unneeded`, what replaces the supervisor in `supervisor`. Each says
why it is there; `tests/test_bentoml_patches.py` fails where one is not needed any more, or does not fit.
"""

import os
from collections.abc import Callable
from typing import Any, cast

import uvicorn.config
from _bentoml_sdk.io_models import ensure_io_descriptor
from bentoml import IODescriptor
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.http import traffic
from starlette.types import ASGIApp

from churn.web.server import unneeded

PROXIES = "CHURN_TRUSTED_PROXIES"
PROTOCOL = "churn.web.server.protocol:BoundedProtocol"  # a worker imports it, when it serves


def apply(*, traced: bool) -> None:
    """Patch this process; to be called before BentoML configures the server, thus at the service's import."""
    if not traced:
        unneeded.leave_out_tracing()
    uvicorn.config.HTTP_PROTOCOLS["auto"] = PROTOCOL
    traffic.TimeoutMiddleware = without_timeout  # type: ignore[assignment,misc]
    trust_only_configured()


def supervise_by_ours(prepare: Callable[[], bool]) -> None:
    """Have BentoML start its workers by our supervisor; to be called by its hook before it starts them.

    `prepare` checks what they need, or ends the start by SystemExit; it returns whether identities are made.
    """
    # Imported here: by then BentoML has imported circus itself. All else, and workers above all, do without:
    # it takes a tenth of a second and 8 MB of each.
    from churn.web.server import supervisor  # noqa: PLC0415

    supervisor.install(prepare)


def without_timeout(app: ASGIApp, timeout: float) -> ASGIApp:  # noqa: ARG001 - made as BentoML makes its own
    """Return the app as it is: the routes have deadlines, and what is late is answered in our shape.

    BentoML's own would hold something of each call for a minute, answered or not: it never cancels a timer.
    """
    return app


def trust_only_configured() -> None:
    """Have uvicorn believe `X-Forwarded-For` and `-Proto` of the configured proxies alone.

    By itself it believes any program on this machine. From the environment, as there are no settings by then
    (a start checks them).
    """
    proxies = os.environ.get(PROXIES, "").replace(",", " ").split()
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(proxies)


def configured() -> dict[str, Any]:
    """Return what BentoML is configured with, by the service's name; to look changes nothing."""
    return cast("dict[str, Any]", BentoMLContainer.config.services.get())


def input_spec(kind: Any) -> type[IODescriptor]:
    """Return how BentoML describes a body of this type.

    Its Python clients ask without options, and refuse every name that the schema's properties lack, aliases
    included: they get no properties, for what is right is the server's to say.
    """
    spec: Any = ensure_io_descriptor(kind)
    described = spec.model_json_schema

    def model_json_schema(**options: Any) -> dict[str, Any]:
        schema: dict[str, Any] = described(**options)
        return schema if options else {"type": schema["type"], "root_input": True}

    spec.__root_input__ = True
    spec.model_json_schema = model_json_schema
    return cast("type[IODescriptor]", spec)


def output_spec(kind: Any) -> type[IODescriptor]:
    """Return how BentoML describes an answer of this type, whatever the endpoint itself returns to us."""
    return cast("type[IODescriptor]", ensure_io_descriptor(kind))
