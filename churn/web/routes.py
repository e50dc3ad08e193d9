"""The routes: every path that is served, with the rules that the handlers of requests read."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from churn.access.roles import allows
from churn.web.parsing import MAX_BATCH_BYTES, MAX_BYTES, MAX_OUTCOMES_BYTES, MAX_REVIEW_BYTES, Parser

Method = Literal["GET", "POST"]
SAFE = ("GET", "HEAD")  # methods that change nothing


@dataclass(frozen=True, slots=True)
class JsonBody:
    """How the body of a prediction route is read, and how many bytes it may have.

    Another process answers large bodies that are `offloaded`.
    """

    read: Callable[[Parser, bytes], object]
    max_bytes: int
    offloaded: bool = False


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How many bytes the JSON body of any other route may have, whose endpoint reads it."""

    max_bytes: int


@dataclass(frozen=True, slots=True)
class Route:
    """The rules for one path, or for every path of a form: "/jobs/{id}" is that of each job.

    What a part in braces may be is in `PARTS`, by its name.
    """

    path: str
    scope: str | None  # that a caller must have; None allows every caller
    methods: tuple[Method, ...] = ("GET",)
    or_scope: str | None = None  # another that will do; the endpoint then sees to what it is for
    is_open: bool = False  # anyone may call it, without credentials
    is_open_locally: bool = False  # programs on the same machine may, too
    is_journalled: bool = False  # every call is; otherwise only refused calls are, unless it is open
    body: JsonBody | BodyLimit | None = None
    deadline: float | None = 30.0  # seconds until there is an answer; None for a stream
    is_cacheable: bool = False  # browsers may keep the answer for ever: a new one has a new path
    is_page: bool = False  # people see it: callers have a session, and errors are pages

    @property
    def is_documented(self) -> bool:
        """Whether it is part of the API, which the OpenAPI document describes."""
        return not (self.is_cacheable or self.is_page)

    def opens_to(self, scopes: Collection[str]) -> bool:
        """Return whether a caller with these scopes may call it."""
        return any(allows(scopes, one) for one in (self.scope, self.or_scope or self.scope))

    def is_recorded(self, method: str) -> bool:
        """Return whether a call is journalled that succeeds; of a page with a form, only what is sent."""
        return self.is_journalled and not ("POST" in self.methods and self.is_page and method in SAFE)


# Every other address: nobody may call it, and the log does not keep what people typed.
ELSEWHERE = Route("(elsewhere)", None)

# What may stand for a part of a path, always of limited length.
PARTS: Mapping[str, str] = {
    # A digest before the suffix: another content has another name.
    "asset": r"[a-z][a-z-]{0,30}\.[0-9a-f]{12}\.(?:css|js)",
    "file": r"[A-Za-z0-9][\w.-]{0,100}",  # of Gradio's, whose names change with their content, too
    "id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
PART = re.compile(r"\{(\w+)\}")


class RouteTable(dict[str, Route]):
    """Maps every path to its route, and a path that is not served to `ELSEWHERE`.

    The items are the single paths; `routes` has all, those of forms included. Forms are looked for by the
    first part of a path, so that one is held against few.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        super().__init__({route.path: route for route in self.routes if "{" not in route.path})
        self._forms: dict[str, list[tuple[re.Pattern[str], Route]]] = defaultdict(list)
        for route in self.routes:
            if route.path not in self:
                self._forms[_beginning(route.path)].append((_pattern(route.path), route))

    def __missing__(self, path: str) -> Route:
        """Return the route whose form a path has, or `ELSEWHERE`."""
        forms = self._forms.get(_beginning(path), ())
        return next((route for pattern, route in forms if pattern.fullmatch(path)), ELSEWHERE)


def _beginning(path: str) -> str:
    """Return the first part of a path."""
    return path[1:].partition("/")[0]


def _pattern(path: str) -> re.Pattern[str]:
    """Return the pattern of the paths that have a form."""
    texts = PART.split(path)  # the names of parts stand at the odd places
    return re.compile("".join(PARTS[text] if at % 2 else re.escape(text) for at, text in enumerate(texts)))


_PREDICT = partial(Route, scope="predict", methods=("POST",), is_journalled=True)
_PAGE = partial(Route, is_page=True)

ROUTES = RouteTable(
    (
        _PREDICT("/predict", body=JsonBody(Parser.read_one, MAX_BYTES)),
        _PREDICT("/predict_batch", body=JsonBody(Parser.read_many, MAX_BATCH_BYTES, offloaded=True)),
        _PREDICT("/what_if", body=JsonBody(Parser.read_what_if, MAX_BYTES)),
        _PREDICT("/predict_file", deadline=600.0),  # 200 MB at 3 Mbit/s
        Route("/jobs/{id}", "predict"),
        _PREDICT("/jobs/{id}/score"),
        _PREDICT("/jobs/{id}/cancel"),
        Route("/jobs/{id}/result", "predict", is_journalled=True, deadline=None),
        Route("/jobs/{id}/rejects", "predict", is_journalled=True, deadline=None),
        Route("/model", "predict", is_journalled=True),
        Route("/history", "history", is_journalled=True),
        Route("/drift", "history", is_journalled=True),
        Route("/performance", "history", is_journalled=True),
        Route("/oversight", "history", is_journalled=True),
        Route(
            "/outcomes",
            "history",
            methods=("POST",),
            is_journalled=True,
            body=BodyLimit(MAX_OUTCOMES_BYTES),
        ),
        Route("/predictions/{id}", "history", or_scope="predict", is_journalled=True),
        _PREDICT("/predictions/{id}/review", body=BodyLimit(MAX_REVIEW_BYTES)),
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
        _PAGE("/sign-in", None, methods=("GET", "POST"), is_open=True),
        _PAGE("/sign-out", None, methods=("POST",), is_open=True),
        _PAGE("/app", "ui"),
        _PAGE("/app/employee", "predict", methods=("GET", "POST"), is_journalled=True),
        _PAGE("/app/what-if", "predict", methods=("GET", "POST"), is_journalled=True),
        _PAGE("/app/history", "history", or_scope="predict", is_journalled=True),
        _PAGE("/app/history/{id}", "history", or_scope="predict", is_journalled=True),
        _PAGE("/app/history/{id}/review", "predict", methods=("POST",), is_journalled=True),
        _PAGE("/app/model", "ui", is_journalled=True),
        _PAGE("/app/monitoring", "history", is_journalled=True),
        _PAGE("/app/monitoring/outcomes", "history", is_journalled=True),
        _PAGE("/app/monitoring/oversight", "history", is_journalled=True),
        _PAGE("/app/monitoring/report", "history", is_journalled=True),
        _PAGE("/app/file", "predict", methods=("GET", "POST"), deadline=600.0),
        _PAGE("/app/file/{id}", "predict", methods=("GET", "POST")),
        _PAGE("/app/file/{id}/result", "predict", is_journalled=True, deadline=None),
        _PAGE("/app/file/{id}/rejects", "predict", is_journalled=True, deadline=None),
        _PAGE("/app/admin", "admin", methods=("GET", "POST")),
        _PAGE("/app/admin/audit", "admin", is_journalled=True),
        _PAGE("/ui", "predict"),
        _PAGE("/ui/", "predict"),
        _PAGE("/ui/theme.css", "predict"),
        _PAGE("/ui/assets/{file}", "predict", is_cacheable=True),
        _PAGE("/ui/static/js/{file}", "predict"),
        _PAGE("/ui/static/fonts/{file}/{file}", "predict", is_cacheable=True),
        # All events come here, whatever they are called.
        _PAGE("/ui/gradio_api/run/predict", "predict", methods=("POST",), is_journalled=True),
        Route("/assets/{asset}", None, is_open=True, is_cacheable=True),
    )
)
