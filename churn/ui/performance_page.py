"""The page of outcomes: how good predictions turned out to be, and what that cannot tell."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.core.language import Pair
from churn.i18n import performance_sentences as sentences
from churn.i18n.formatting import Locale
from churn.model.registry import ServedModel
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceReport, Slice
from churn.ui.day_filters import filter_errors
from churn.ui.drawings import WIDTH, Span, spans
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.monitor_reader import MonitorReader
from churn.web.endpoints.query import read_query
from churn.web.middleware.error_responses import note_refusal
from churn.web.request_state import state_of

FILTERS = ("model", "horizon")
_NEAREST = (1.0, 0.5, 0.25, 0.1)  # ends of the scale of a share


@dataclass(frozen=True, slots=True)
class DrawnSlice:
    """Some of the predictions, with their name and the span of how many more left than predicted."""

    name: str
    slice: Slice
    span: Span | None


class PerformancePage:
    """Shows what outcomes say; `served` returns the model once the service has started."""

    def __init__(
        self, renderer: PageRenderer, monitors: MonitorReader, served: Callable[[], ServedModel]
    ) -> None:
        self._renderer, self._monitors, self._served = renderer, monitors, served

    @property
    def routes(self) -> list[Route]:
        """The route of the page."""
        return [Route("/app/monitoring/outcomes", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer what outcomes say, or the filters again with what is wrong with them."""
        state = state_of(request.scope)
        given = {name: request.query_params.get(name, "").strip() for name in FILTERS}
        typed = {name: text for name, text in given.items() if text}
        try:
            query = read_query(PerformanceQuery, QueryParams(typed))
            report = await self._monitors.performance(query, state.language)
        except InvalidInputError as error:
            note_refusal(error, state)
            errors = filter_errors(error, FILTERS, state.language)
            return self._render(request, typed, errors=errors, status=error.status)
        return self._render(request, typed, report)

    def _render(
        self,
        request: Request,
        typed: Mapping[str, str],
        report: PerformanceReport | None = None,
        *,
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        locale = Locale(state_of(request.scope).language, self._served().dictionary)
        return self._renderer.render(
            request,
            "performance.html.j2",
            status=status,
            typed=typed,
            errors=errors or {},
            report=report,
            locale=locale,
            sentences=sentences,
            scale=_scale(report),
            tables=_tables(report, locale) if report else (),
            caveats=_caveats(report),
            plain=asdict,
            WIDTH=WIDTH,
        )


def _scale(report: PerformanceReport | None) -> float:
    """Return where the scale of the calibration ends, so that small risks can be told apart."""
    groups = report.calibration if report else ()
    largest = max((max(group.predicted, group.observed.high) for group in groups), default=0.0)
    return min(end for end in _NEAREST if end >= largest)


def _caveats(report: PerformanceReport | None) -> list[Pair]:
    """Return what figures cannot tell, and refusals neither; beside figures, the notes have the first."""
    acting = [] if report and report.whole.figures else [sentences.ACTING]
    return [*acting, *sentences.CAVEATS]


def _tables(report: PerformanceReport, locale: Locale) -> list[tuple[str, list[DrawnSlice]]]:
    """Return the slices by month, then by the groups of each field, with the title of each table."""
    tables = [(locale.pick(sentences.BY_MONTH), report.by_month)]
    names = dict.fromkeys(part.field for part in report.by_group if part.field)
    for field in names:
        tables.append((locale.label(field), [part for part in report.by_group if part.field == field]))
    known = [part for _, parts in tables for part in parts if part.figures]
    excesses = [part.figures.excess for part in known if part.figures]
    drawn = spans([(excess.low, excess.value, excess.high) for excess in excesses])
    span_of = {id(part): span for part, span in zip(known, drawn, strict=True)}
    return [
        (title, [DrawnSlice(_name(part, locale), part, span_of.get(id(part))) for part in parts])
        for title, parts in tables
        if parts
    ]


def _name(part: Slice, locale: Locale) -> str:
    return locale.value(part.name or "", part.field or "")
