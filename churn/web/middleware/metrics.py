"""Metrics: what was answered and how fast, and how the journal is, as Prometheus reads it.

In BentoML's place, whose figures have a series for every path that somebody makes up.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import anyio.to_thread
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.journal.journal import JournalState
from churn.web.request_state import state_of
from churn.web.routes import ROUTES
from churn.web.worker_marks import serving_workers

logger = logging.getLogger("churn")

AskState = Callable[[], JournalState]
Tell = Callable[[Scope, str, int, float], None]

FILE_BYTES = 2**20  # for the figures of one kind, of which all that there can be take a tenth
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_REQUESTS = Counter("churn_requests", "calls that were answered", ("route", "status"))
_DURATION = Histogram(
    "churn_request_seconds", "time from a call to the end of its answer", ("route",), buckets=SECONDS
)


class Metrics:
    """Counts every call, by its route and its status, and how long it took. Finds each one's route.

    `tell` is told the same of each, with the seconds.
    """

    def __init__(self, app: ASGIApp, tell: Tell | None = None) -> None:
        self._app = app
        self._tell = tell
        self._has_room = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        if scope["type"] != "http":
            self._reserve()
            await self._app(scope, receive, send)
            return
        state, status = state_of(scope), 500
        route = state.route = ROUTES[scope["path"]]

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            seconds = time.perf_counter() - state.started
            if self._has_room or self._reserve():
                count, observe = _series(route.path, status)
                count()
                observe(seconds)
            if self._tell is not None:
                self._tell(scope, route.path, status, seconds)

    def _reserve(self) -> bool:
        """Return whether there is room for this process's figures; without, none are kept."""
        try:
            _reserve()
        except OSError as error:
            logger.warning("calls are not counted, for want of room on the disk (%s)", error.strerror)
        else:
            self._has_room = True
        return self._has_room


def _reserve() -> None:
    """Take the room of this process's figures before they are mapped into memory.

    By itself the client maps files with holes: on a full disk, the first write into one ends the process.

    Raises:
        OSError: the disk has none.
    """
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        for kind in ("counter", "histogram", "gauge_mostrecent"):
            number = os.open(Path(folder) / f"{kind}_{os.getpid()}.db", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(number, 0, FILE_BYTES)
            finally:
                os.close(number)


@lru_cache(maxsize=1024)
def _series(route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
    """Return how a call is counted, and its time; to look a series up takes longer than either."""
    return _REQUESTS.labels(route, str(status)).inc, _DURATION.labels(route).observe


def make_metrics(state: AskState) -> Route:
    """Return the route of the figures; `state` tells how the journal is, and may read files."""

    async def metrics(_: Request) -> Response:
        """Answer the figures of all workers, and this one's journal."""
        return Response(await anyio.to_thread.run_sync(_exposition, state), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics)


def _exposition(state: AskState) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Gauges(state()))
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):  # one process: the service in somebody else's
        return generate_latest(REGISTRY) + generate_latest(registry)
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class _Gauges(Collector):
    def __init__(self, state: JournalState) -> None:
        self._state = state

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield one gauge a figure."""
        state = self._state
        if (workers := serving_workers()) is not None:
            yield _gauge("workers", "processes that serve; CHURN_WORKERS, once all do", workers)
        yield _gauge("database_up", "1 while the database takes the journal's rows", not state.database_away)
        yield _gauge("journal_waiting", "rows that wait for their commit in this worker", state.waiting)
        if state.spool is not None:
            yield _gauge(
                "spool_records", "calls that are spooled until the database is back", state.spool.records
            )
            yield _gauge("spool_bytes", "bytes that they take", state.spool.bytes)
            yield _gauge("spool_max_bytes", "bytes that they may take", state.spool.max_bytes)
            yield _gauge("spool_oldest_seconds", "how long the oldest has waited", state.spool.oldest)
            yield _gauge("spool_set_aside", "spooled records that could not be read", state.spool.set_aside)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"churn_{name}", documentation, value=float(value))
