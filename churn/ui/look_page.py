"""Pages of the monitors: filters in the address, and what a look tells, or what is wrong with the filters."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.core.language import Language
from churn.i18n.formatting import Locale
from churn.model.registry import ServedModel
from churn.schemas.drift_query import DriftQuery
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.performance_query import PerformanceQuery
from churn.ui.filters import filter_errors, typed_filters, with_last_day
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.monitor_reader import MonitorReader
from churn.web.endpoints.query import read_query
from churn.web.middleware.error_responses import note_refusal
from churn.web.request_state import state_of

Query = TypeVar("Query", DriftQuery, PerformanceQuery, OversightQuery)
Report = TypeVar("Report")


class LookPage(ABC, Generic[Query, Report]):
    """One page, under `path`; `served` returns the model once the service has started."""

    path: ClassVar[str]
    template: ClassVar[str]
    filters: ClassVar[Sequence[str]]

    def __init__(
        self, renderer: PageRenderer, monitors: MonitorReader, served: Callable[[], ServedModel]
    ) -> None:
        self._renderer, self._monitors, self._served = renderer, monitors, served

    @property
    @abstractmethod
    def query(self) -> type[Query]:
        """What the filters ask."""

    @abstractmethod
    async def look(self, query: Query, language: Language) -> Report:
        """Return what a look tells."""

    @abstractmethod
    def shown(self, report: Report | None, locale: Locale) -> Mapping[str, object]:
        """Return what the template shows beside the report; None where the filters are wrong."""

    @property
    def routes(self) -> list[Route]:
        """The route of the page."""
        return [Route(self.path, self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer what a look tells, or the filters again with what is wrong with them."""
        state = state_of(request.scope)
        typed = typed_filters(request, self.filters)
        report, errors, status = None, dict[str, str](), 200
        try:
            query = read_query(self.query, QueryParams(with_last_day(typed)))
            report = await self.look(query, state.language)
        except InvalidInputError as error:
            note_refusal(error, state)
            errors, status = filter_errors(error, self.filters, state.language), error.status
        locale = Locale(state.language, self._served().dictionary)
        return self._renderer.render(
            request,
            self.template,
            status=status,
            typed=typed,
            errors=errors,
            report=report,
            locale=locale,
            **self.shown(report, locale),
        )
