"""Reads a window from the journal."""

from datetime import datetime
from typing import TYPE_CHECKING

from churn.model.reference import Reference
from churn.monitoring.window import Window
from churn.monitoring.window_rows import WindowRows
from churn.records.prediction_sample import newest, sample
from churn.schemas.drift_query import MOST_ROWS
from churn.schemas.drift_report import Selection

if TYPE_CHECKING:
    from sqlalchemy import Engine

Period = tuple[datetime | None, datetime | None]


def read_window(
    engine: "Engine", reference: Reference, period: Period, *, model: str, last: int | None = None
) -> tuple[Window, Selection]:
    """Return the window of a model's predictions in a period, and what it is made of.

    The `last` employees are read from the newest on; of a period with too many predictions, a sample is.

    Raises:
        DatabaseError: the database cannot be read.
    """
    window, rows = Window.of(reference), WindowRows([field.name for field in reference.fields], last)
    if last is None:
        found = sample(engine, *period, model=model, most=MOST_ROWS)
    else:
        found = newest(engine, *period, model=model)
    for row in rows.choose(found.predictions):
        window.add(row)
    return window, rows.selection(found.total, is_sample=not found.is_whole)
