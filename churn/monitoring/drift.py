"""Drift: whether a window differs from the reference of its model, by how much, and through which fields."""

import math
from statistics import NormalDist

from churn.model.reference import Moments, Reference
from churn.monitoring import power
from churn.monitoring.chi_square import p_value
from churn.monitoring.false_discovery import discoveries
from churn.monitoring.stability_index import stability_index
from churn.monitoring.window import FieldWindow, Window, moments
from churn.schemas.drift_query import LOOKS
from churn.schemas.drift_report import Change, DriftFigures, FieldDrift, Verdict

# The probability that looks without any drift alarm in a year, and how the tests of one look share it.
FALSE_ALARMS = 0.05
OF_FIELDS, OF_MEAN = 0.8, 0.2

_WIDE = NormalDist().inv_cdf(0.975)


def examine(reference: Reference, window: Window, looks: int = LOOKS) -> DriftFigures:
    """Return what one of so many looks a year shows.

    Where nothing has moved, FALSE_ALARMS is the probability that any of the year's looks alarms.
    """
    level = FALSE_ALARMS / looks
    spread = math.sqrt(reference.log_odds.variance)
    enough = power.rows_for(power.ENOUGH, reference.rows, level * OF_MEAN)
    if not window.rows:
        return DriftFigures(0, reference.rows, enough_rows=enough, enough_change=power.ENOUGH * spread)
    mean = moments(window.rows, window.total, window.squares)
    mean = Moments(mean.mean + reference.base_value, mean.variance)
    p = _mean_p_value(reference, window.rows, mean)
    return DriftFigures(
        rows=window.rows,
        reference_rows=reference.rows,
        log_odds=_change(reference.rows, reference.log_odds, window.rows, mean),
        log_odds_p_value=p,
        log_odds_alarm=p is not None and p <= level * OF_MEAN,
        flagged=_shares(reference.rows, reference.flagged, window.rows, window.flagged),
        detectable=spread * power.detectable(window.rows, reference.rows, level * OF_MEAN),
        enough_rows=enough,
        enough_change=power.ENOUGH * spread,
        fields=_fields(reference, window, level * OF_FIELDS),
    )


def verdict(figures: DriftFigures) -> Verdict:
    """Return what the figures come to. An alarm counts whatever the number of rows."""
    if not figures.rows:
        return "empty"
    if figures.log_odds_alarm or any(field.alarm for field in figures.fields):
        return "drift"
    return "calm" if figures.enough_rows and figures.rows >= figures.enough_rows else "too_few"


def _fields(reference: Reference, window: Window, level: float) -> tuple[FieldDrift, ...]:
    p_values = [p_value(field.reference.counts, field.counts) for field in window.fields]
    # A field that cannot be tested is no test, and takes no share of the level.
    tested = [at for at, p in enumerate(p_values) if p is not None]
    counting = discoveries([p for p in p_values if p is not None], level)
    alarms = {at for at, alarm in zip(tested, counting, strict=True) if alarm}
    return tuple(
        _field(reference.rows, window.rows, field, p_values[at], alarm=at in alarms)
        for at, field in enumerate(window.fields)
    )


def _field(rows: int, others: int, field: FieldWindow, p: float | None, *, alarm: bool) -> FieldDrift:
    before = field.reference
    return FieldDrift(
        name=before.name,
        p_value=p,
        alarm=alarm,
        psi=stability_index(before.counts, field.counts),
        unknown_before=before.counts[-1] / rows,
        unknown=field.counts[-1] / others,
        beyond=field.beyond / others,
        contribution=_change(rows, before.contribution, others, moments(others, field.total, field.squares)),
    )


def _mean_p_value(reference: Reference, others: int, mean: Moments) -> float | None:
    """Return that of the change of the mean: z, with both samples' error and one variance of all rows."""
    rows, before = reference.rows, reference.log_odds
    pooled = ((rows - 1) * before.variance + (others - 1) * mean.variance) / (rows + others - 2)
    error = math.sqrt(pooled * (1 / rows + 1 / others))
    return math.erfc(abs(mean.mean - before.mean) / error / math.sqrt(2)) if error else None


def _change(rows: int, before: Moments, others: int, now: Moments) -> Change:
    # One row has no variance of its own.
    variance = now.variance if others > 1 else before.variance
    reach = _WIDE * math.sqrt(before.variance / rows + variance / others)
    change = now.mean - before.mean
    return Change(before.mean, now.mean, change, change - reach, change + reach)


def _shares(rows: int, before: int, others: int, now: int) -> Change:
    """Return the change of a share; the interval of Agresti and Caffo (2000) holds for few rows, too."""
    first, second = ((count + 1) / (n + 2) for count, n in ((before, rows), (now, others)))
    error = math.sqrt(first * (1 - first) / (rows + 2) + second * (1 - second) / (others + 2))
    middle = second - first
    reach = _WIDE * error
    return Change(before / rows, now / others, now / others - before / rows, middle - reach, middle + reach)
