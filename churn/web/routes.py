"""The routes: every path that is served, with the rules that the handlers of requests read."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from churn.web.parsing import MAX_BATCH_BYTES, MAX_BYTES, Parser

Method = Literal["GET", "POST"]


@dataclass(frozen=True, slots=True)
class JsonBody:
    """How the body of a prediction route is read, and how many bytes it may have.

    Another process answers large bodies that are `offloaded`.
    """

    read: Callable[[Parser, bytes], object]
    max_bytes: int
    offloaded: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The rules for one path, or for every file in a folder whose name matches the pattern `names`.

    A folder's path ends in "/"; its pattern also limits the length of a name.
    """

    path: str
    scope: str | None  # that a caller must have; None allows every caller
    methods: tuple[Method, ...] = ("GET",)
    is_open: bool = False  # anyone may call it, without credentials
    is_open_locally: bool = False  # programs on the same machine may, too
    is_journalled: bool = False  # every call is; otherwise only refused calls are, unless it is open
    body: JsonBody | None = None
    deadline: float | None = 30.0  # seconds until there is an answer; None for a stream
    is_cacheable: bool = False  # browsers may keep the answer for ever: a new one has a new path
    names: re.Pattern[str] | None = None


# Every other address: nobody may call it, and the log does not keep what people typed.
ELSEWHERE = Route("(elsewhere)", None)

ASSETS = "/assets/"


class RouteTable(dict[str, Route]):
    """Maps every path to its route, and a path that is not served to `ELSEWHERE`.

    The items are the single paths; `folders` has the routes of folders.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = list(routes)
        super().__init__({route.path: route for route in routes if route.names is None})
        self.folders = {route.path: route for route in routes if route.names is not None}

    def __missing__(self, path: str) -> Route:
        """Return the route of a file in a folder, or `ELSEWHERE`."""
        folder, slash, name = path.rpartition("/")
        route = self.folders.get(folder + slash)
        return route if route and route.names and route.names.fullmatch(name) else ELSEWHERE


# A digest before the suffix: another content has another name.
_ASSET = re.compile(r"[a-z][a-z-]{0,30}\.[0-9a-f]{12}\.(?:css|js)")
_PREDICT = partial(Route, scope="predict", methods=("POST",), is_journalled=True)

ROUTES = RouteTable(
    (
        _PREDICT("/predict", body=JsonBody(Parser.read_one, MAX_BYTES)),
        _PREDICT("/predict_batch", body=JsonBody(Parser.read_many, MAX_BATCH_BYTES, offloaded=True)),
        _PREDICT("/what_if", body=JsonBody(Parser.read_what_if, MAX_BYTES)),
        Route("/model", "predict", is_journalled=True),
        Route("/history", "history", is_journalled=True),
        Route("/health", None, is_open=True),
        Route("/healthz", None, is_open=True),
        Route("/livez", None, is_open=True),
        Route("/readyz", None, is_open=True),
        Route("/metrics", "metrics", is_open_locally=True),
        Route("/schema.json", None),  # BentoML's Python client reads it before it calls
        Route("/openapi.json", None, is_open=True),
        Route("/", None, is_open=True),
        Route("/docs", None, is_open=True),
        Route("/redoc", None, is_open=True),
        Route(ASSETS, None, is_open=True, is_cacheable=True, names=_ASSET),
    )
)
