"""The routes: every path that is served, and what holds for it, for all that handles requests to read."""

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

    Large ones that are `offloaded` are answered by another process.
    """

    read: Callable[[Parser, bytes], object]
    max_bytes: int
    offloaded: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What holds for one path, or for every file in a folder whose name has the pattern `names`.

    A folder's path ends in "/"; its pattern bounds how long a name may be.
    """

    path: str
    scope: str | None  # what a caller's scopes must hold; with None, any caller may call it
    methods: tuple[Method, ...] = ("GET",)
    is_open: bool = False  # anyone may call it
    is_open_locally: bool = False  # programs on the same machine may call it without credentials
    is_journalled: bool = False  # every call is; of the others that are not open, those that are refused
    body: JsonBody | None = None
    deadline: float | None = 30.0  # seconds until there is an answer; a stream has none
    is_cacheable: bool = False  # browsers may keep the answer for ever: another one would have another path
    names: re.Pattern[str] | None = None


# Every other address: what people type there is not ours to keep. Nobody may call it.
ELSEWHERE = Route("(elsewhere)", None)


class RouteTable(dict[str, Route]):
    """Has the route of every path; that of a path which is not served is `ELSEWHERE`.

    As a mapping it holds the single paths; `folders` are the routes of many.
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
    )
)
