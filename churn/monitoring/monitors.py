"""The monitors of one database: whatever a query asks, about any model of the store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.errors import FieldError, InvalidInputError
from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.model import listing, registry
from churn.model.served_dictionary import dictionary_of
from churn.monitoring.drift_monitor import DriftMonitor
from churn.monitoring.look_apart import look_apart
from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import OversightReport
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceReport
from churn.schemas.weekly_query import WeeklyQuery

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Monitors:
    """Looks at one database; `serving` is the tag of the model that serves, `dictionary` is its own.

    Each method waits for the database, and raises InvalidInputError where the query names a model that is not
    in the store, ModelError where that is damaged, DatabaseError where the journal cannot be read.
    """

    engine: "Engine"
    dictionary: Dictionary
    serving: str

    def drift(self, query: DriftQuery, language: Language) -> DriftReport:
        """Return what has moved since a model was trained."""
        tag, dictionary = self._model(query.model)
        return DriftMonitor(self.engine, dictionary).look(query, tag, language)

    def performance(self, query: PerformanceQuery, language: Language) -> PerformanceReport:
        """Return how good a model's predictions turned out to be."""
        tag, dictionary = self._model(query.model)
        report: PerformanceReport = look_apart(self.engine, "performance", query, tag, dictionary, language)
        return report

    def oversight(self, query: OversightQuery, language: Language) -> OversightReport:
        """Return how people oversee a model."""
        tag, dictionary = self._model(query.model)
        report: OversightReport = look_apart(self.engine, "oversight", query, tag, dictionary, language)
        return report

    def weekly(self, query: WeeklyQuery, language: Language) -> str:
        """Return the report of a period, as a page of HTML."""
        tag, dictionary = self._model(query.model)
        page: str = look_apart(self.engine, "weekly", query, tag, dictionary, language)
        return page

    def _model(self, asked: str | None) -> tuple[str, Dictionary]:
        tag = asked or self.serving
        if tag == self.serving:
            return tag, self.dictionary
        if listing.folder_of(registry.home(), tag) is None:
            raise InvalidInputError([FieldError(("query", "model"), "model_tag")])
        return tag, dictionary_of(tag, self.dictionary) or self.dictionary
