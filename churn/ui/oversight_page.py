"""The page of oversight: how often people disagree with the model, and who was right."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.i18n import oversight_sentences as sentences
from churn.i18n.formatting import Locale
from churn.model.registry import ServedModel
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import ALARMS, Disagreement, OversightReport
from churn.ui.day_filters import filter_errors, with_last_day
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.monitor_reader import MonitorReader
from churn.web.endpoints.query import read_query
from churn.web.middleware.error_responses import note_refusal
from churn.web.request_state import state_of

FILTERS = ("since", "until", "model")


class OversightPage:
    """Shows what reviews say; `served` returns the model once the service has started."""

    def __init__(
        self, renderer: PageRenderer, monitors: MonitorReader, served: Callable[[], ServedModel]
    ) -> None:
        self._renderer, self._monitors, self._served = renderer, monitors, served

    @property
    def routes(self) -> list[Route]:
        """The route of the page."""
        return [Route("/app/monitoring/oversight", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer what reviews say, or the filters again with what is wrong with them."""
        state = state_of(request.scope)
        given = {name: request.query_params.get(name, "").strip() for name in FILTERS}
        typed = {name: text for name, text in given.items() if text}
        try:
            query = read_query(OversightQuery, QueryParams(with_last_day(typed)))
            report = await self._monitors.oversight(query, state.language)
        except InvalidInputError as error:
            note_refusal(error, state)
            errors = filter_errors(error, FILTERS, state.language)
            return self._render(request, typed, errors=errors, status=error.status)
        return self._render(request, typed, report)

    def _render(
        self,
        request: Request,
        typed: Mapping[str, str],
        report: OversightReport | None = None,
        *,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        locale = Locale(state_of(request.scope).language, self._served().dictionary)
        return self._renderer.render(
            request,
            "oversight.html.j2",
            status=status,
            typed=typed,
            errors=errors or {},
            report=report,
            is_alarm=report is not None and report.verdict in ALARMS,
            locale=locale,
            sentences=sentences,
            tables=oversight_tables(report, locale) if report else (),
            plain=asdict,
        )


def oversight_tables(
    report: OversightReport, locale: Locale
) -> list[tuple[str, list[tuple[str, Disagreement]]]]:
    """Return the titles of tables, with the names and numbers of their rows."""
    answers = [(locale.pick(sentences.ANSWERS[one.name or ""]), one) for one in report.by_answer]
    fields = [(locale.label(one.name or ""), one) for one in report.by_field]
    tables = [(locale.pick(sentences.BY_ANSWER), answers), (locale.pick(sentences.BY_FIELD), fields)]
    for field in dict.fromkeys(one.field for one in report.by_group if one.field):
        groups = [one for one in report.by_group if one.field == field]
        tables.append((locale.label(field), [(locale.value(one.name or "", field), one) for one in groups]))
    return [(title, rows) for title, rows in tables if rows]
