"""Outcomes in sentences: the main figure, and what else must be known."""

from churn.i18n import performance_sentences as sentences
from churn.i18n.formatting import Locale
from churn.monitoring.performance import LEAST_LEAVERS
from churn.schemas.performance_report import Interval, PerformanceReport

NEARLY_ALL = 0.9  # of the employees: where less is known, who is known may be no chance


def summary(report: PerformanceReport, locale: Locale) -> str:
    """Return the main figure in a sentence, or why there is none."""
    whole, days = report.whole, locale.count(report.horizon_days)
    leavers = locale.count(whole.leavers)
    if whole.figures is None:
        pair = sentences.REFUSALS[whole.refusal or "leavers"]
        return locale.say(*pair, leavers=leavers, days=days, least=LEAST_LEAVERS)
    auc = locale.estimate(plain(whole.figures.roc_auc))
    return locale.say(*sentences.MEASURED, rows=locale.count(whole.rows), leavers=leavers, days=days, auc=auc)


def notes(report: PerformanceReport, locale: Locale) -> list[str]:
    """Return what else must be known, the most important first."""
    found = []
    if report.employees and report.known < NEARLY_ALL * report.employees:
        found.append(
            locale.say(
                *sentences.COVERAGE,
                known=locale.count(report.known),
                employees=locale.count(report.employees),
                share=locale.percent(report.known / report.employees),
            )
        )
    if report.whole.figures is not None:
        found += _of_figures(report, report.whole.figures.excess, locale)
    if report.repeats:
        found.append(locale.say(*sentences.REPEATS, count=locale.count(report.repeats)))
    if report.late:
        found.append(locale.say(*sentences.LATE, count=locale.count(report.late)))
    return found


def _of_figures(report: PerformanceReport, excess: Interval, locale: Locale) -> list[str]:
    found, whole = [], report.whole
    if excess.low > 0 or excess.high < 0:
        pair = sentences.EXCESS_ABOVE if excess.low > 0 else sentences.EXCESS_BELOW
        found.append(locale.say(*pair, points=locale.points(plain(excess))))
    if lost := whole.rows - whole.leavers - whole.stayers:
        found.append(locale.say(*sentences.WEIGHTED, count=locale.count(lost)))
    return [*found, locale.pick(sentences.ACTING)]


def plain(interval: Interval) -> dict[str, float]:
    """Return an interval as a locale writes it."""
    return {"value": interval.value, "low": interval.low, "high": interval.high}
