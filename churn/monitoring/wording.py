"""A report in words: a look gives the figures once, in whatever languages they are told."""

from collections.abc import Callable
from typing import TypeVar

from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.i18n.formatting import Locale
from churn.schemas.drift_report import DriftReport
from churn.schemas.oversight_report import OversightReport
from churn.schemas.performance_report import PerformanceReport

Report = TypeVar("Report", DriftReport, PerformanceReport, OversightReport)


def worded(
    report: Report,
    dictionary: Dictionary,
    language: Language,
    *,
    summary: Callable[[Report, Locale], str],
    notes: Callable[[Report, Locale], list[str]],
) -> Report:
    """Return the report with its summary and notes in a language, in place of any that it has."""
    locale = Locale(language, dictionary, space=" ")
    return report.model_copy(update={"summary": summary(report, locale), "notes": notes(report, locale)})
