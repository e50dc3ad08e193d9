"""Patches: all that reaches into BentoML 1.4.39 and uvicorn 0.54, where neither has a setting.

Each says why it is there; `tests/test_bentoml_patches.py` fails where one is not needed any more, or does
not fit.
"""

import os
import sys
from types import ModuleType
from typing import Any, NoReturn, cast

import uvicorn.config
from _bentoml_sdk.io_models import ensure_io_descriptor
from bentoml import IODescriptor
from bentoml._internal.configuration.containers import BentoMLContainer
from bentoml._internal.server.http import traffic
from bentoml._internal.utils import circus
from bentoml._internal.utils.circus import Arbiter
from starlette.types import ASGIApp

from churn.web.server import protocol
from churn.web.server.supervisor import Supervisor

PROXIES = "CHURN_TRUSTED_PROXIES"

# What BentoML imports in every worker and this service never uses: a third of a second, and 20 MB.
# The dispatcher, which imports numpy, is for calls that are answered in batches; the proxy, which imports
# pyparsing, for services that are a command.
UNNEEDED = {
    "bentoml._internal.marshal.dispatcher": "CorkDispatcher",
    "_bentoml_impl.server.proxy": "create_proxy_app",
}
# Where no request is traced, it looks at each all the same, which takes as long as the gate.
TRACING = {"opentelemetry.instrumentation.asgi": "OpenTelemetryMiddleware"}

_create_arbiter = circus.create_standalone_arbiter


def apply(*, traced: bool) -> None:
    """Patch this process; to be called before BentoML configures the server, thus at the service's import."""
    leave_out(traced=traced)
    circus.create_standalone_arbiter = create_arbiter
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{protocol.__name__}:{protocol.BoundedProtocol.__name__}"
    traffic.TimeoutMiddleware = without_timeout  # type: ignore[assignment,misc]
    trust_only_configured()


def leave_out(*, traced: bool) -> None:
    """Put something in the place of what is unneeded; what is imported already stays."""
    for module, name in UNNEEDED.items():
        _replace(module, name, _refuse)
    if not traced:
        for module, name in TRACING.items():
            _replace(module, name, _untraced)


def create_arbiter(watchers: list[Any], *, threaded: bool = False, **options: Any) -> Arbiter:
    """Return what supervises the workers; in a thread of somebody else's process, BentoML's own.

    That listens on two ports of the machine, and obeys whoever connects there.
    """
    if threaded:
        return _create_arbiter(watchers, threaded=threaded, **options)
    return Supervisor(watchers, **options)


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


def _replace(module: str, name: str, by: object) -> None:
    if module not in sys.modules:
        sys.modules[module] = ModuleType(module)
        setattr(sys.modules[module], name, by)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise NotImplementedError(f"{__name__} left this out of BentoML, since this service does without")


def _untraced(app: ASGIApp, **_: object) -> ASGIApp:
    return app
