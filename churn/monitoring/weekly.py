"""The weekly report: all that the monitors tell of a period, as one document in one or two languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.monitoring.drift_monitor import DriftMonitor
from churn.monitoring.oversight_monitor import OversightMonitor
from churn.monitoring.performance_monitor import PerformanceMonitor
from churn.monitoring.weekly_document import render_weekly
from churn.records.journal_counts import count_journal
from churn.schemas.drift_query import DriftQuery
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.weekly_query import WeeklyQuery
from churn.schemas.weekly_report import WeeklyReport

if TYPE_CHECKING:
    from sqlalchemy import Engine

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WeeklyMonitor:
    """Looks at everything in one database; `dictionary` has the fields' names for people."""

    engine: "Engine"
    dictionary: Dictionary

    def look(self, query: WeeklyQuery, tag: str, language: Language) -> str:
        """Return the report in one language, as a page of HTML; raises ModelError, DatabaseError."""
        return self.write(query, tag, [language])

    def write(self, query: WeeklyQuery, tag: str, languages: Sequence[Language]) -> str:
        """Return the report as one page of HTML, in some languages."""
        until = query.until or datetime.now(UTC)
        since = query.since or until - WEEK
        drift, performance, oversight = (
            DriftMonitor(self.engine, self.dictionary),
            PerformanceMonitor(self.engine, self.dictionary),
            OversightMonitor(self.engine, self.dictionary),
        )
        # One look each, told in every language.
        first = languages[0]
        moved = drift.look(DriftQuery(since=since, until=until), tag, first)
        known = performance.look(PerformanceQuery(), tag, first)
        said = oversight.look(OversightQuery(since=since, until=until), tag, first)
        counts = count_journal(self.engine, since, until)
        reports = {
            language: WeeklyReport(
                since,
                until,
                drift.tell(moved, language),
                performance.tell(known, language),
                oversight.tell(said, language),
                counts,
            )
            for language in languages
        }
        return render_weekly(reports, self.dictionary)
