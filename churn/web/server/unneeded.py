"""What BentoML imports and this service does without: an empty stand-in takes its place.

BentoML's cloud client alone, with the libraries that it needs, is a fifth of a worker's start and 9 MB of its
memory.
"""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NoReturn, Self

from starlette.types import ASGIApp

# A package whose other modules are still to be found.
PACKAGE = "bentoml._internal.cloud"
UNNEEDED = (
    # For what is deployed to BentoML's cloud; imports httpx and rich.
    PACKAGE,
    f"{PACKAGE}.client",
    f"{PACKAGE}.schemas.modelschemas",
    f"{PACKAGE}.schemas.schemasv1",
    # For calls that are answered in batches; imports numpy.
    "bentoml._internal.marshal.dispatcher",
    # For services that are a command; imports pyparsing.
    "_bentoml_impl.server.proxy",
)
# What starts workers, which these do not; imports circus, tornado and zmq.
SERVING = "_bentoml_impl.server.serving"
# What calls services, of which this one calls none; imports aiohttp, httpx and rich.
CLIENT = "_bentoml_impl.client"
# What uvicorn takes where it is installed: for WSGI, and to start anew when a file changes.
OPTIONAL = ("a2wsgi", "watchfiles")
# Tells BentoML's makers who serves what; imports httpx and rich.
TELEMETRY = "bentoml._internal.utils.analytics.usage_stats"
# Where no request is traced, this looks at each one all the same, which takes as long as the gate.
TRACING = "opentelemetry.instrumentation.asgi"


class StandIn(ModuleType):
    """A module from which everything can be imported, and everything is the same function."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        super().__init__(name)
        self._function = function

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the function; raises AttributeError for names that Python itself looks for."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self._function


class NoProxy:
    """In the place of the proxy that BentoML opens for each service, so that it can call itself."""

    to_async = to_sync = None

    def __init__(self, *_: object, **__: object) -> None: ...

    async def __aenter__(self) -> Self:
        """Open nothing."""
        return self

    async def close(self) -> None:
        """Close nothing."""


def leave_out() -> None:
    """Put stand-ins in the place of what is not needed; what is imported already stays."""
    for name in UNNEEDED:
        _replace(name, _refuse)
    _replace(TELEMETRY, _tell_nobody)
    _keep_quiet()


def _keep_quiet() -> None:
    """Have BentoML's telemetry be silent where it is imported already, unless somebody has asked for it.

    By default it tells its makers of each start and each build.
    """
    if not os.environ.get("BENTOML_DO_NOT_TRACK"):
        os.environ["BENTOML_DO_NOT_TRACK"] = "True"  # 1 would not do
    telemetry = sys.modules[TELEMETRY]
    if not isinstance(telemetry, StandIn):
        telemetry.do_not_track.cache_clear()


def leave_out_of_worker() -> None:
    """Leave out what workers alone do without; to be called before BentoML's own worker begins."""
    _replace(SERVING, _refuse)
    _replace(CLIENT, NoProxy)
    sys.modules.update(dict.fromkeys(OPTIONAL))  # type: ignore[arg-type]  # as if they were not installed


def leave_out_tracing() -> None:
    """Have no request looked at by what traces them."""
    _replace(TRACING, _untraced)


def _replace(name: str, function: Callable[..., Any]) -> None:
    if name in sys.modules:
        return
    module = StandIn(name, function)
    if name == PACKAGE and (spec := find_spec(name)):
        module.__path__ = spec.submodule_search_locations or []
    sys.modules[name] = module


def _refuse(*_: object, **__: object) -> NoReturn:
    raise NotImplementedError(f"{__name__} left this out of BentoML, since this service does without")


def _tell_nobody(*_: object, **__: object) -> AbstractContextManager[None]:
    return nullcontext()


def _untraced(app: ASGIApp, **_: object) -> ASGIApp:
    return app
