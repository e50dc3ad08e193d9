"""The figures of the last looks at the journal, for Prometheus: a scrape only reads them."""

import math
import time
from dataclasses import fields

from prometheus_client import Gauge

from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceFigures, PerformanceReport


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
        for bound in ("value", "low", "high"):
            _FIGURE.labels(report.model, figure.name, bound).set(getattr(interval, bound, math.nan))
