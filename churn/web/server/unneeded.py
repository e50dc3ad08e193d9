"""What BentoML 1.4.39 imports in every worker, and this service never uses: a third of a second, and 20 MB.

Its dispatcher, which imports numpy, is for calls that are answered in batches; its proxy, which imports
pyparsing, for services that are a command. Where no request is traced, what would trace each looks at
it all the same, which takes as long as the gate.
"""

import sys
from types import ModuleType
from typing import NoReturn

from starlette.types import ASGIApp

# What each is imported for.
UNNEEDED = {
    "bentoml._internal.marshal.dispatcher": "CorkDispatcher",
    "_bentoml_impl.server.proxy": "create_proxy_app",
}
TRACING = {"opentelemetry.instrumentation.asgi": "OpenTelemetryMiddleware"}


def leave_out(*, traced: bool) -> None:
    """Put in their places what refuses to be used; what is imported already stays."""
    for module, name in UNNEEDED.items():
        _replace(module, name, _refuse)
    if not traced:
        for module, name in TRACING.items():
            _replace(module, name, _untraced)


def _replace(module: str, name: str, by: object) -> None:
    if module not in sys.modules:
        sys.modules[module] = ModuleType(module)
        setattr(sys.modules[module], name, by)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise NotImplementedError(
        "churn.web.server.unneeded left this out of BentoML, since this service does without"
    )


def _untraced(app: ASGIApp, **_: object) -> ASGIApp:
    return app
