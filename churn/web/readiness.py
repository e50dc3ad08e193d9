"""Readiness: `/readyz` says what it found, and `/metrics` as numbers."""

from collections.abc import Callable, Iterable
from typing import Any

import anyio.to_thread
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.storage.journal import JournalState

Check = Callable[[], JournalState]


class Readiness:
    """Answers `/readyz` in BentoML's place, which says nothing but yes or no.

    `check` raises a `ChurnError` where no prediction could be made and journalled, for the envelope
    around it to answer; it may read files, and runs off the event loop.
    """

    def __init__(self, app: ASGIApp, check: Check) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what asks for something else passes."""
        if scope["type"] == "http" and scope["path"] == "/readyz" and scope["method"] in ("GET", "HEAD"):
            state = await anyio.to_thread.run_sync(self._check)
            await JSONResponse(_detail(state))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _detail(state: JournalState) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": "ready",
        "database": "away" if state.database_away else "ready",
        "waiting": state.waiting,
    }
    if state.spool is not None:
        found["spool"] = {
            "records": state.spool.records,
            "bytes": state.spool.bytes,
            "max_bytes": state.spool.max_bytes,
            "set_aside": state.spool.set_aside,
        }
    return found


def exposition(state: JournalState) -> str:
    """Return the journal's figures in the text form of Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Figures(state))
    return generate_latest(registry).decode()


class _Figures(Collector):
    def __init__(self, state: JournalState) -> None:
        self._state = state

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield one gauge a figure."""
        state = self._state
        yield _gauge("database_up", "1 while the database takes the journal's rows", not state.database_away)
        yield _gauge("journal_waiting", "rows that wait for their commit in this worker", state.waiting)
        if state.spool is not None:
            yield _gauge(
                "spool_records", "calls that are spooled until the database is back", state.spool.records
            )
            yield _gauge("spool_bytes", "bytes that they take", state.spool.bytes)
            yield _gauge("spool_max_bytes", "bytes that they may take", state.spool.max_bytes)
            yield _gauge("spool_set_aside", "spooled records that could not be read", state.spool.set_aside)


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"churn_{name}", documentation, value=float(value))
