"""A look at the drift in sentences: the verdict, and what else must be known."""

import math

from churn.i18n import drift_sentences as sentences
from churn.i18n.formatting import Locale
from churn.schemas.drift_report import DriftFigures, DriftReport

MOST_NAMED = 6  # fields in a sentence


def summary(report: DriftReport, locale: Locale) -> str:
    """Return the verdict as a sentence."""
    figures = report.figures
    if figures is None or not figures.rows:
        return locale.say(*sentences.SUMMARIES[report.verdict], model=report.model)
    change = figures.enough_change
    if report.verdict == "too_few" and figures.enough_rows is None:
        reference = locale.count(figures.reference_rows)
        return locale.say(*sentences.TOO_SMALL_A_REFERENCE, reference=reference, change=locale.number(change))
    detectable = figures.detectable or 0.0
    is_of_one = report.verdict == "too_few" and figures.rows == 1
    return locale.say(
        *(sentences.FROM_ONE_ROW if is_of_one else sentences.SUMMARIES[report.verdict]),
        rows=locale.count(figures.rows),
        enough=locale.count(figures.enough_rows or 0),
        change=locale.number(change),
        odds=locale.times(math.exp(change)),
        detectable=locale.number(detectable),
        detectable_odds=locale.times(math.exp(detectable)),
        moved=_moved(figures, locale),
    )


def notes(report: DriftReport, locale: Locale) -> list[str]:
    """Return what else must be known, the most important first."""
    figures, selection = report.figures, report.selection
    found = _changes(figures, locale) if figures else []
    left_out = {
        name: getattr(selection, name) for name in ("repeats", "erased", "hypothetical", "unreadable")
    }
    if any(left_out.values()):
        found.append(locale.say(*sentences.LEFT_OUT, **{n: locale.count(c) for n, c in left_out.items()}))
    if selection.nameless:
        pair = sentences.NAMELESS if selection.nameless > 1 else sentences.ONE_NAMELESS
        found.append(locale.say(*pair, count=locale.count(selection.nameless)))
    if selection.is_sample:
        read = selection.rows + sum(left_out.values())
        values = {"predictions": locale.count(selection.predictions), "read": locale.count(read)}
        found.append(locale.say(*sentences.SAMPLED, **values))
    if report.other_models:
        found.append(locale.say(*sentences.OTHERS, models=", ".join(report.other_models)))
    return found


def _changes(figures: DriftFigures, locale: Locale) -> list[str]:
    found = []
    if figures.flagged is not None:
        share = figures.flagged
        values = {
            "before": locale.percent(share.reference, 1),
            "now": locale.percent(share.window, 1),
            "points": locale.points({"value": share.change, "low": share.low, "high": share.high}),
        }
        found.append(locale.say(*sentences.FLAGGED, **values))
    if figures.log_odds is not None:
        change = figures.log_odds
        values = {
            "before": locale.number(change.reference),
            "now": locale.number(change.window),
            "change": locale.signed(change.change),
            "low": locale.signed(change.low),
            "high": locale.signed(change.high),
        }
        found.append(locale.say(*sentences.LOG_ODDS, **values))
    return found


def _moved(figures: DriftFigures, locale: Locale) -> str:
    """Return what has moved, the field that weighs most first."""
    by_effect = sorted(figures.fields, key=lambda field: -abs(field.contribution.change))
    names = [locale.label(field.name) for field in by_effect if field.alarm]
    names = names[:MOST_NAMED] + ["…"] * (len(names) > MOST_NAMED)
    return ", ".join([locale.pick(sentences.MEAN_RISK)] * figures.log_odds_alarm + names)
