"""The page of what has moved since the model was trained: the verdict, and each field's part in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.i18n import drift_sentences as sentences
from churn.i18n.formatting import Locale
from churn.model.registry import ServedModel
from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport, FieldDrift
from churn.ui.day_filters import filter_errors, with_last_day
from churn.ui.drawings import Bar, bars
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.monitor_reader import MonitorReader
from churn.web.endpoints.query import read_query
from churn.web.middleware.error_responses import note_refusal
from churn.web.request_state import state_of

FILTERS = ("since", "until", "last", "model")


@dataclass(frozen=True, slots=True)
class DrawnField:
    """A field with its label, and the bar of what it does to the mean log-odds."""

    label: str
    field: FieldDrift
    bar: Bar


class MonitoringPage:
    """Shows what a look at the drift tells; `served` returns the model once the service has started."""

    def __init__(
        self, renderer: PageRenderer, monitors: MonitorReader, served: Callable[[], ServedModel]
    ) -> None:
        self._renderer, self._monitors, self._served = renderer, monitors, served

    @property
    def routes(self) -> list[Route]:
        """The route of the page."""
        return [Route("/app/monitoring", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer what a look tells, or the filters again with what is wrong with them."""
        state = state_of(request.scope)
        given = {name: request.query_params.get(name, "").strip() for name in FILTERS}
        typed = {name: text for name, text in given.items() if text}
        try:
            query = read_query(DriftQuery, QueryParams(with_last_day(typed)))
            report = await self._monitors.drift(query, state.language)
        except InvalidInputError as error:
            note_refusal(error, state)
            errors = filter_errors(error, FILTERS, state.language)
            return self._render(request, typed, errors=errors, status=error.status)
        return self._render(request, typed, report)

    def _render(
        self,
        request: Request,
        typed: Mapping[str, str],
        report: DriftReport | None = None,
        *,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        locale = Locale(state_of(request.scope).language, self._served().dictionary)
        return self._renderer.render(
            request,
            "monitoring.html.j2",
            status=status,
            typed=typed,
            errors=errors or {},
            report=report,
            locale=locale,
            drawn=_drawn(report, locale),
            sentences=sentences,
        )


def _drawn(report: DriftReport | None, locale: Locale) -> list[DrawnField]:
    """Return the fields, the one that moves the risk most first."""
    fields = report.figures.fields if report and report.figures else ()
    by_effect = sorted(fields, key=lambda field: -abs(field.contribution.change))
    drawn = bars([(locale.label(field.name), field.contribution.change) for field in by_effect])
    return [DrawnField(bar.text, field, bar) for field, bar in zip(by_effect, drawn, strict=True)]
