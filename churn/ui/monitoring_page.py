"""The page of what has moved since the model was trained: the verdict, and each field's part in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from churn.core.language import Language
from churn.i18n import drift_sentences as sentences
from churn.i18n.formatting import Locale
from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport, FieldDrift
from churn.ui.drawings import Bar, bars
from churn.ui.look_page import LookPage

FILTERS = ("since", "until", "last", "model")


@dataclass(frozen=True, slots=True)
class DrawnField:
    """A field with its label, and the bar of what it does to the mean log-odds."""

    label: str
    field: FieldDrift
    bar: Bar


class MonitoringPage(LookPage[DriftQuery, DriftReport]):
    """Shows what a look at the drift tells."""

    path, template = "/app/monitoring", "monitoring.html.j2"
    filters = FILTERS
    query = DriftQuery

    async def look(self, query: DriftQuery, language: Language) -> DriftReport:
        """Return what a look tells."""
        return await self._monitors.drift(query, language)

    def shown(self, report: DriftReport | None, locale: Locale) -> Mapping[str, object]:
        """Return what the template shows beside the report."""
        return {"drawn": _drawn(report, locale), "sentences": sentences}


def _drawn(report: DriftReport | None, locale: Locale) -> list[DrawnField]:
    """Return the fields, the one that moves the risk most first."""
    fields = report.figures.fields if report and report.figures else ()
    by_effect = sorted(fields, key=lambda field: -abs(field.contribution.change))
    drawn = bars([(locale.label(field.name), field.contribution.change) for field in by_effect])
    return [DrawnField(bar.text, field, bar) for field, bar in zip(by_effect, drawn, strict=True)]
