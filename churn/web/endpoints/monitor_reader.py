"""GET /drift, /performance and /oversight: what has moved, who has left, what people say."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.language import Language
from churn.schemas.drift_query import MOST_LOOKS, DriftQuery
from churn.schemas.drift_report import DriftReport
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import OversightReport
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceReport
from churn.schemas.weekly_query import WeeklyQuery
from churn.web.endpoints import monitor_gauges
from churn.web.endpoints.query import read_query
from churn.web.request_state import state_of

YEAR = timedelta(days=365)

Query = TypeVar("Query", bound=BaseModel)
Report = TypeVar("Report")


class Monitors(Protocol):
    """What looks at the journal; each look waits for the database."""

    def drift(self, query: DriftQuery, language: Language) -> DriftReport:
        """Return what has moved since a model was trained."""

    def performance(self, query: PerformanceQuery, language: Language) -> PerformanceReport:
        """Return how good a model's predictions turned out to be."""

    def oversight(self, query: OversightQuery, language: Language) -> OversightReport:
        """Return how people oversee a model."""

    def weekly(self, query: WeeklyQuery, language: Language) -> str:
        """Return the report of a period, as a page of HTML."""


class MonitorReader:
    """Has the journal looked at, off the event loop and one look at a time: it reads thousands of rows.

    `monitors` returns the worker's, once the service has started. A look leaves its figures for Prometheus.
    """

    def __init__(self, monitors: Callable[[], Monitors]) -> None:
        self._monitors, self._one = monitors, anyio.CapacityLimiter(1)

    async def drift(self, query: DriftQuery, language: Language) -> DriftReport:
        """Return what has moved."""
        return await self._look(_drift, query, language)

    async def performance(self, query: PerformanceQuery, language: Language) -> PerformanceReport:
        """Return how good predictions turned out to be."""
        return await self._look(_performance, query, language)

    async def oversight(self, query: OversightQuery, language: Language) -> OversightReport:
        """Return how people oversee a model."""
        return await self._look(_oversight, query, language)

    async def weekly(self, query: WeeklyQuery, language: Language) -> str:
        """Return the report of a period, as a page of HTML."""
        return await self._look(_weekly, query, language)

    async def _look(
        self, look: Callable[[Monitors, Query, Language], Report], query: Query, language: Language
    ) -> Report:
        return await anyio.to_thread.run_sync(look, self._monitors(), query, language, limiter=self._one)


def _drift(monitors: Monitors, query: DriftQuery, language: Language) -> DriftReport:
    report = monitors.drift(query, language)
    monitor_gauges.tell_drift(query, report)
    return report


def _performance(monitors: Monitors, query: PerformanceQuery, language: Language) -> PerformanceReport:
    report = monitors.performance(query, language)
    monitor_gauges.tell_performance(query, report)
    return report


def _oversight(monitors: Monitors, query: OversightQuery, language: Language) -> OversightReport:
    report = monitors.oversight(query, language)
    monitor_gauges.tell_oversight(query, report)
    return report


def _weekly(monitors: Monitors, query: WeeklyQuery, language: Language) -> str:
    return monitors.weekly(query, language)


def look_at_all(monitors: Monitors, every: timedelta) -> dict[str, str]:
    """Look at everything, leave the figures for Prometheus, and return the verdicts.

    `every` is the time between two looks: the chance of a false alarm of drift is that of a year of them.
    """
    language: Language = "en"  # figures have none
    looks = DriftQuery(looks=min(MOST_LOOKS, max(1, round(YEAR / every))))
    drift = _drift(monitors, looks, language)
    performance = _performance(monitors, PerformanceQuery(), language)
    oversight = _oversight(monitors, OversightQuery(), language)
    told = performance.whole.refusal or "told"
    return {"model": drift.model, "drift": drift.verdict, "outcomes": told, "oversight": oversight.verdict}


def make_monitoring(reader: MonitorReader) -> list[Route]:
    """Return the routes."""
    return [
        _route("/drift", DriftQuery, reader.drift),
        _route("/performance", PerformanceQuery, reader.performance),
        _route("/oversight", OversightQuery, reader.oversight),
    ]


def _route(
    path: str, kind: type[Query], look: Callable[[Query, Language], Coroutine[Any, Any, BaseModel]]
) -> Route:
    async def answer(request: Request) -> Response:
        """Answer what a look tells."""
        query = read_query(kind, request.query_params)
        report = await look(query, state_of(request.scope).language)
        return Response(report.model_dump_json(), media_type="application/json")

    return Route(path, answer, methods=["GET"])
