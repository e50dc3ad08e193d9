"""The figures of the last look at the drift, for Prometheus: a scrape only reads them."""

import math
import time

from prometheus_client import Gauge

from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport


def _gauge(name: str, documentation: str) -> Gauge:
    # The worker that looked last tells them; the label keeps a figure that nobody looked at from being 0.
    return Gauge(f"churn_drift_{name}", documentation, ("model",), multiprocess_mode="mostrecent")


_LOOKED = _gauge("looked_at_seconds", "when the last seven days were last looked at, in Unix time")
_ROWS = _gauge("rows", "employees that this look compared with the training data")
_MOVED = _gauge("moved", "fields, and the mean risk, that have moved more than chance explains")
_LOG_ODDS = _gauge("log_odds_change", "change of the mean log-odds since training")
_FLAGGED = _gauge("flagged_change", "change of the share flagged since training")


def tell(query: DriftQuery, report: DriftReport) -> None:
    """Keep the figures of a look at the last seven days; others are for who asked.

    Of few rows no mean is told: it would be that of somebody.
    """
    figures = report.figures
    if query != DriftQuery(looks=query.looks) or figures is None:
        return
    _LOOKED.labels(report.model).set(time.time())
    _ROWS.labels(report.model).set(figures.rows)
    _MOVED.labels(report.model).set(figures.log_odds_alarm + sum(field.alarm for field in figures.fields))
    is_enough = figures.enough_rows is not None and figures.rows >= figures.enough_rows
    for gauge, change in ((_LOG_ODDS, figures.log_odds), (_FLAGGED, figures.flagged)):
        gauge.labels(report.model).set(change.change if change and is_enough else math.nan)
