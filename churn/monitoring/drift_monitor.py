"""The monitor of drift: reads a window from the journal and compares it with its model's reference."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.model.stored_reference import load_reference
from churn.monitoring.drift import examine, verdict
from churn.monitoring.drift_summary import notes, summary
from churn.monitoring.window_reader import Period, read_window
from churn.monitoring.wording import worded
from churn.records.predictions import models_in
from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport, Selection

if TYPE_CHECKING:
    from sqlalchemy import Engine

DEFAULT_WINDOW = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DriftMonitor:
    """Looks at the predictions in one database; `dictionary` has the fields' names for people."""

    engine: "Engine"
    dictionary: Dictionary

    def look(self, query: DriftQuery, tag: str, language: Language) -> DriftReport:
        """Return how the people whom the model of a tag predicted about differ from those it learned from.

        Raises:
            ModelError: the model's reference is damaged.
            DatabaseError: the database cannot be read.
        """
        since, until = _period(query)
        reference, figures, selection = load_reference(tag), None, Selection()
        if reference is not None:
            window, selection = read_window(
                self.engine, reference, (since, until), model=tag, last=query.last
            )
            figures = examine(reference, window, query.looks)
        report = DriftReport(
            model=tag,
            verdict="no_reference" if figures is None else verdict(figures),
            summary="",
            notes=[],
            since=since,
            until=until,
            looks=query.looks,
            horizon_days=reference.horizon_days if reference else None,
            selection=selection,
            other_models=[model for model in models_in(self.engine, since, until) if model != tag],
            figures=figures,
        )
        return self.tell(report, language)

    def tell(self, report: DriftReport, language: Language) -> DriftReport:
        """Return the same report in another language."""
        return worded(report, self.dictionary, language, summary=summary, notes=notes)


def _period(query: DriftQuery) -> Period:
    if query.since is None and query.until is None and query.last is None:
        return datetime.now(UTC) - DEFAULT_WINDOW, None
    return query.since, query.until
