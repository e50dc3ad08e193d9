"""The page of oversight: how often people disagree with the model, and who was right."""

from collections.abc import Mapping
from dataclasses import asdict

from churn.core.language import Language
from churn.i18n import oversight_sentences as sentences
from churn.i18n.formatting import Locale
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import ALARMS, Disagreement, OversightReport
from churn.ui.look_page import LookPage

FILTERS = ("since", "until", "model")


class OversightPage(LookPage[OversightQuery, OversightReport]):
    """Shows what reviews say."""

    path, template = "/app/monitoring/oversight", "oversight.html.j2"
    filters = FILTERS
    query = OversightQuery

    async def look(self, query: OversightQuery, language: Language) -> OversightReport:
        """Return what a look tells."""
        return await self._monitors.oversight(query, language)

    def shown(self, report: OversightReport | None, locale: Locale) -> Mapping[str, object]:
        """Return what the template shows beside the report."""
        return {
            "is_alarm": report is not None and report.verdict in ALARMS,
            "sentences": sentences,
            "tables": oversight_tables(report, locale) if report else (),
            "plain": asdict,
        }


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
