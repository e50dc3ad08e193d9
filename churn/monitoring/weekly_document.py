"""The weekly report as one HTML document that can be printed, in one language or two."""

from collections.abc import Mapping
from dataclasses import asdict

from churn.core.language import Language
from churn.core.templates import templates_of
from churn.dictionary.dictionary import Dictionary
from churn.i18n import drift_sentences, oversight_sentences, performance_sentences
from churn.i18n.formatting import Locale
from churn.schemas.drift_report import DriftReport, FieldDrift
from churn.schemas.weekly_report import WeeklyReport

_TEMPLATES = templates_of("churn.monitoring", keep_trailing_newline=True)
MOST_FIELDS = 8  # that moved the risk most: a page is for people


def render_weekly(reports: Mapping[Language, WeeklyReport], dictionary: Dictionary) -> str:
    """Return the page, with a part for each language, each on paper of its own."""
    parts = [(Locale(language, dictionary), report) for language, report in reports.items()]
    return _TEMPLATES.get_template("weekly.html.j2").render(
        parts=parts,
        drift=drift_sentences,
        outcomes=performance_sentences,
        oversight=oversight_sentences,
        moved_most=_moved_most,
        plain=asdict,
    )


def _moved_most(report: DriftReport) -> list[FieldDrift]:
    """Return the fields that moved, then those with the largest effect."""
    fields = report.figures.fields if report.figures else ()
    return sorted(fields, key=lambda one: (not one.alarm, -abs(one.contribution.change)))[:MOST_FIELDS]
