"""The monitor of outcomes: holds a model's predictions against what has become of the people since."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.stored_reference import load_reference
from churn.monitoring.followed_rows import FollowedRows
from churn.monitoring.performance import Predicted, calibration_groups, slice_of
from churn.monitoring.performance_summary import notes, summary
from churn.monitoring.wording import worded
from churn.records.followed import employees_of, followed
from churn.records.outcomes import newest
from churn.schemas.performance_query import YEAR, PerformanceQuery
from churn.schemas.performance_report import PerformanceReport, Slice

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class PerformanceMonitor:
    """Looks at the outcomes in one database; `dictionary` has the fields by whose groups fairness is told."""

    engine: "Engine"
    dictionary: Dictionary

    def look(self, query: PerformanceQuery, tag: str, language: Language) -> PerformanceReport:
        """Return how good the predictions of the model with a tag turned out to be.

        Raises:
            ModelError: the model's reference is damaged.
            DatabaseError: the database cannot be read.
        """
        horizon = query.horizon or horizon_of(tag)
        outcomes = {outcome.employee_id: outcome for outcome in newest(self.engine)}
        rows = FollowedRows(outcomes, horizon)
        rows.choose(followed(self.engine, [tag]))
        predicted = rows.predicted
        report = PerformanceReport(
            model=tag,
            horizon_days=horizon,
            summary="",
            notes=[],
            employees=employees_of(self.engine, tag),
            known=rows.employees,
            repeats=rows.repeats,
            late=rows.late,
            whole=slice_of(predicted),
            calibration=list(calibration_groups(predicted)),
            by_month=list(_by(predicted, [f"{day:%Y-%m}" for day in rows.days])),
            by_group=list(self._by_group(predicted, rows.records)),
        )
        return self.tell(report, language)

    def tell(self, report: PerformanceReport, language: Language) -> PerformanceReport:
        """Return the same report in another language."""
        return worded(report, self.dictionary, language, summary=summary, notes=notes)

    def _by_group(self, predicted: Predicted, records: Sequence[Mapping[str, Any]]) -> Iterator[Slice]:
        for name in self.dictionary.audited:
            field = self.dictionary.by_name[name]
            yield from _by(predicted, [group_of(field, record.get(name)) for record in records], name)


def horizon_of(tag: str) -> int:
    """Return within how many days people left from whom a model learned; raises ModelError."""
    reference = load_reference(tag)
    return (reference.horizon_days if reference else None) or YEAR


def _by(predicted: Predicted, names: Sequence[str | None], field: str | None = None) -> Iterator[Slice]:
    """Yield a slice for each name, in order; None is of no slice."""
    of_row = np.array([name or "" for name in names], dtype=str)
    for name in sorted({name for name in names if name}):
        yield slice_of(predicted.of(of_row == name), field, name)


def group_of(field: Field, value: object) -> str | None:
    """Return the group of a value, None where it is not known."""
    if isinstance(value, str):
        return value
    if not isinstance(value, int | float):
        return None
    return next((name for name, (low, high) in field.groups.items() if low <= value <= high), None)
