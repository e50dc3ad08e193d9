"""The figures of the last looks at the journal, for Prometheus: a scrape only reads them."""

import math
import time
from dataclasses import fields

from prometheus_client import Gauge

from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import ALARMS, OversightReport
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceFigures, PerformanceReport

_BOUNDS = ("value", "low", "high")  # of an interval


def _gauge(name: str, documentation: str, *labels: str) -> Gauge:
    # The worker that looked last tells them; the label keeps a figure that nobody looked at from being 0.
    labels = ("model", *labels)
    return Gauge(f"churn_{name}", documentation, labels, multiprocess_mode="mostrecent")


_DRIFT_LOOKED = _gauge("drift_looked_at_seconds", "Unix time of the last look at the last seven days")
_DRIFT_ROWS = _gauge("drift_rows", "employees that this look compared with the training data")
_MOVED = _gauge("drift_moved", "fields, and the mean risk, that have moved more than chance explains")
_LOG_ODDS = _gauge("drift_log_odds_change", "change of the mean log-odds since training")
_FLAGGED = _gauge("drift_flagged_change", "change of the share flagged since training")
_UNKNOWN = _gauge("drift_unknown", "share of a field's values that are unknown", "field")

_LOOKED = _gauge("performance_looked_at_seconds", "Unix time of the last look at the outcomes")
_ROWS = _gauge("performance_rows", "predictions that are followed, one an employee and horizon")
_LEAVERS = _gauge("performance_leavers", "people who left within the horizon of one of them")
_FIGURE = _gauge(
    "performance_figure", "what outcomes say of predictions, and its 95% interval", "figure", "bound"
)

_OVERSIGHT_LOOKED = _gauge("oversight_looked_at_seconds", "Unix time of the last look at the reviews")
_PREDICTIONS = _gauge("oversight_predictions", "predictions of the last 90 days")
_REVIEWED = _gauge("oversight_reviewed", "those of them that somebody reviewed")
_DISAGREED = _gauge("oversight_disagreed", "those with which the last reviewer disagrees")
_ALARM = _gauge("oversight_alarm", "1 where nobody reviews, or nobody ever disagrees", "reason")
_RIGHT = _gauge("oversight_right", "share in which each was right, and its 95% interval", "who", "bound")


def tell_drift(query: DriftQuery, report: DriftReport) -> None:
    """Keep the figures of a look at the last seven days; others are for who asked.

    Of few rows no mean is told: it would be that of somebody.
    """
    figures = report.figures
    if query != DriftQuery(looks=query.looks) or figures is None:
        return
    _DRIFT_LOOKED.labels(report.model).set(time.time())
    _DRIFT_ROWS.labels(report.model).set(figures.rows)
    _MOVED.labels(report.model).set(figures.log_odds_alarm + sum(field.alarm for field in figures.fields))
    is_enough = figures.enough_rows is not None and figures.rows >= figures.enough_rows
    for gauge, change in ((_LOG_ODDS, figures.log_odds), (_FLAGGED, figures.flagged)):
        gauge.labels(report.model).set(change.change if change and is_enough else math.nan)
    for field in figures.fields:
        _UNKNOWN.labels(report.model, field.name).set(field.unknown if is_enough else math.nan)


def tell_performance(query: PerformanceQuery, report: PerformanceReport) -> None:
    """Keep the figures of a look over the model's own horizon; what cannot be told is not a number."""
    if query.horizon is not None:
        return
    _LOOKED.labels(report.model).set(time.time())
    _ROWS.labels(report.model).set(report.whole.rows)
    _LEAVERS.labels(report.model).set(report.whole.leavers)
    for figure in fields(PerformanceFigures):
        interval = getattr(report.whole.figures, figure.name, None)
        for bound in _BOUNDS:
            _FIGURE.labels(report.model, figure.name, bound).set(getattr(interval, bound, math.nan))


def tell_oversight(query: OversightQuery, report: OversightReport) -> None:
    """Keep the figures of a look at the last 90 days."""
    if query.since is not None or query.until is not None:
        return
    _OVERSIGHT_LOOKED.labels(report.model).set(time.time())
    _PREDICTIONS.labels(report.model).set(report.predictions)
    _REVIEWED.labels(report.model).set(report.whole.reviewed)
    _DISAGREED.labels(report.model).set(report.whole.disagreed)
    for reason in ALARMS:
        _ALARM.labels(report.model, reason).set(report.verdict == reason)
    for who in ("people", "model"):
        for bound in _BOUNDS:
            interval = getattr(report.hindsight, who, None)
            _RIGHT.labels(report.model, who, bound).set(getattr(interval, bound, math.nan))
