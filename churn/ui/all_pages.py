"""All pages for people, as routes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from churn.access.administration import Administration
from churn.core.errors import ForbiddenError
from churn.core.templates import templates_of
from churn.jobs.jobs import Jobs
from churn.model.registry import ServedModel
from churn.records.audit_log import Event
from churn.ui.admin_page import AdminPage
from churn.ui.employee_page import EmployeePage
from churn.ui.file_page import FilePage
from churn.ui.form_scoring import FormScoring
from churn.ui.gradio_page import GradioPage
from churn.ui.history_page import HistoryPage
from churn.ui.model_page import ModelPage
from churn.ui.monitoring_page import MonitoringPage
from churn.ui.oversight_page import OversightPage
from churn.ui.performance_page import PerformancePage
from churn.ui.prediction_page import PredictionPage
from churn.ui.sign_in_page import Sessions, SignInPage
from churn.ui.weekly_page import WeeklyPage
from churn.ui.what_if_page import WhatIfPage
from churn.web.endpoints.history import HistoryReader
from churn.web.endpoints.html_page import MENU, PageRenderer
from churn.web.endpoints.jobs import JobEndpoints
from churn.web.endpoints.monitor_reader import MonitorReader
from churn.web.readiness_check import ReadinessCheck
from churn.web.request_state import state_of
from churn.web.routes import ROUTES

TEMPLATES = templates_of("churn.ui", "churn.web")


class Backend(Protocol):
    """What the pages need of a worker; the methods may be called once the service has started."""

    def model(self) -> ServedModel:
        """Return the served model."""

    def jobs(self) -> Jobs:
        """Return the jobs of files."""

    def authenticator(self) -> Sessions:
        """Return what begins and ends sessions."""

    def administration(self) -> Administration:
        """Return what changes users, tokens and sessions."""

    def events(self, since: datetime, kinds: Sequence[str]) -> Sequence[Event]:
        """Return the latest events of the audit log."""

    def left_out(self) -> Collection[str]:
        """Return the paths of pages that this service does without."""

    def forgets(self) -> bool:
        """Return whether a restart takes the history away."""

    def frame_ancestors(self) -> Sequence[str]:
        """Return the other origins that may show the pages in a frame."""


def make_ui(
    scoring: FormScoring,
    backend: Backend,
    history: HistoryReader,
    monitors: MonitorReader,
    check: ReadinessCheck,
    jobs: JobEndpoints,
    gradio: GradioPage,
) -> list[BaseRoute]:
    """Return the routes of all pages."""
    renderer = PageRenderer(backend.frame_ancestors, backend.left_out, TEMPLATES)
    return [
        Route("/app", _start, methods=["GET"]),
        *SignInPage(renderer, backend.authenticator, backend.jobs).routes,
        *EmployeePage(renderer, scoring).routes,
        *WhatIfPage(renderer, scoring).routes,
        *HistoryPage(renderer, history, backend.forgets).routes,
        *PredictionPage(renderer, history, scoring.dictionary).routes,
        *FilePage(renderer, jobs, scoring.dictionary).routes,
        *ModelPage(renderer, backend.model).routes,
        *MonitoringPage(renderer, monitors, backend.model).routes,
        *PerformancePage(renderer, monitors, backend.model).routes,
        *OversightPage(renderer, monitors, backend.model).routes,
        *WeeklyPage(monitors, backend.frame_ancestors).routes,
        *gradio.routes,
        *AdminPage(renderer, backend.administration, check, backend.events).routes,
    ]


async def _start(request: Request) -> RedirectResponse:
    """Lead to the first page that somebody may open; raise ForbiddenError where there is none."""
    scopes = state_of(request.scope).caller.scopes
    for path, _ in MENU:
        if ROUTES[path].opens_to(scopes):
            return RedirectResponse(path[1:], 303)
    raise ForbiddenError
