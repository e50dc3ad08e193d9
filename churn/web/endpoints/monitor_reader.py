"""GET /drift, /performance and /oversight: what has moved, who has left, what people say."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

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
        report = await self._look(partial(self._monitors().drift, query, language))
        monitor_gauges.tell_drift(query, report)
        return report

    async def performance(self, query: PerformanceQuery, language: Language) -> PerformanceReport:
        """Return how good predictions turned out to be."""
        report = await self._look(partial(self._monitors().performance, query, language))
        monitor_gauges.tell_performance(query, report)
        return report

    async def oversight(self, query: OversightQuery, language: Language) -> OversightReport:
        """Return how people oversee a model."""
        report = await self._look(partial(self._monitors().oversight, query, language))
        monitor_gauges.tell_oversight(query, report)
        return report

    async def weekly(self, query: WeeklyQuery, language: Language) -> str:
        """Return the report of a period, as a page of HTML."""
        return await self._look(partial(self._monitors().weekly, query, language))

    async def _look(self, look: Callable[[], Report]) -> Report:
        return await anyio.to_thread.run_sync(look, limiter=self._one)


def look_at_all(monitors: Monitors, every: timedelta) -> dict[str, str]:
    """Look at everything, leave the figures for Prometheus, and return the verdicts.

    `every` is the time between two looks: the chance of a false alarm of drift is that of a year of them.
    """
    language: Language = "en"  # figures have none
    looks = DriftQuery(looks=min(MOST_LOOKS, max(1, round(YEAR / every))))
    drift = monitors.drift(looks, language)
    monitor_gauges.tell_drift(looks, drift)
    outcomes = PerformanceQuery()
    performance = monitors.performance(outcomes, language)
    monitor_gauges.tell_performance(outcomes, performance)
    reviews = OversightQuery()
    oversight = monitors.oversight(reviews, language)
    monitor_gauges.tell_oversight(reviews, oversight)
    told = performance.whole.refusal or "told"
    return {"model": drift.model, "drift": drift.verdict, "outcomes": told, "oversight": oversight.verdict}


def make_monitoring(reader: MonitorReader) -> list[Route]:
    """Return the routes."""

    async def drift(request: Request) -> Response:
        """Answer what has moved."""
        query = read_query(DriftQuery, request.query_params)
        return _json(await reader.drift(query, state_of(request.scope).language))

    async def performance(request: Request) -> Response:
        """Answer how good predictions turned out to be."""
        query = read_query(PerformanceQuery, request.query_params)
        return _json(await reader.performance(query, state_of(request.scope).language))

    async def oversight(request: Request) -> Response:
        """Answer how people oversee a model."""
        query = read_query(OversightQuery, request.query_params)
        return _json(await reader.oversight(query, state_of(request.scope).language))

    return [
        Route("/drift", drift, methods=["GET"]),
        Route("/performance", performance, methods=["GET"]),
        Route("/oversight", oversight, methods=["GET"]),
    ]


def _json(report: BaseModel) -> Response:
    return Response(report.model_dump_json(), media_type="application/json")
