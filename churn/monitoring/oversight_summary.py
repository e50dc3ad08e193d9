"""Oversight in sentences: the verdict, and what else must be known."""

from churn.i18n import oversight_sentences as sentences
from churn.i18n.formatting import Locale
from churn.monitoring.performance_summary import plain
from churn.schemas.oversight_report import Hindsight, OversightReport
from churn.schemas.performance_report import Interval


def summary(report: OversightReport, locale: Locale) -> str:
    """Return the verdict in a sentence."""
    whole = report.whole
    return locale.say(
        *sentences.VERDICTS[report.verdict],
        predictions=locale.count(report.predictions),
        reviewed=locale.count(whole.reviewed),
        disagreed=locale.count(whole.disagreed),
        share=_share(whole.share, locale),
        enough=locale.count(report.enough),
    )


def notes(report: OversightReport, locale: Locale) -> list[str]:
    """Return what else must be known, the most important first."""
    found = []
    if report.hindsight is not None:
        found.append(_who_was_right(report.hindsight, locale))
    elif report.whole.reviewed:
        found.append(locale.pick(sentences.NO_OUTCOMES))
    if report.reviewers == 1:
        found.append(locale.pick(sentences.ONE_REVIEWER))
    return found


def _who_was_right(hindsight: Hindsight, locale: Locale) -> str:
    where = hindsight.people_where_disputed
    if where is None:
        pair = sentences.NEVER_DISPUTED
    elif where.low > 0.5:
        pair = sentences.PEOPLE_RIGHT
    elif where.high < 0.5:
        pair = sentences.MODEL_RIGHT
    else:
        pair = sentences.NOT_TOLD
    return locale.say(
        *pair,
        known=locale.count(hindsight.known),
        disputed=locale.count(hindsight.disputed),
        where=_share(where, locale),
        people=_share(hindsight.people, locale),
        model=_share(hindsight.model, locale),
    )


def _share(interval: Interval | None, locale: Locale) -> str:
    if interval is None:
        return "–"
    return locale.share(plain(interval))
