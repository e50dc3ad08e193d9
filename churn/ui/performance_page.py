"""The page of outcomes: how good predictions turned out to be, and what that cannot tell."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from churn.core.language import Language, Pair
from churn.i18n import performance_sentences as sentences
from churn.i18n.formatting import Locale
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceReport, Slice
from churn.ui.drawings import WIDTH, Span, spans
from churn.ui.look_page import LookPage

FILTERS = ("model", "horizon")
_NEAREST = (1.0, 0.5, 0.25, 0.1)  # ends of the scale of a share


@dataclass(frozen=True, slots=True)
class DrawnSlice:
    """Some of the predictions, with their name and the span of how many more left than predicted."""

    name: str
    slice: Slice
    span: Span | None


class PerformancePage(LookPage[PerformanceQuery, PerformanceReport]):
    """Shows what outcomes say."""

    path, template = "/app/monitoring/outcomes", "performance.html.j2"
    filters = FILTERS
    query = PerformanceQuery

    async def look(self, query: PerformanceQuery, language: Language) -> PerformanceReport:
        """Return what a look tells."""
        return await self._monitors.performance(query, language)

    def shown(self, report: PerformanceReport | None, locale: Locale) -> Mapping[str, object]:
        """Return what the template shows beside the report."""
        return {
            "sentences": sentences,
            "scale": _scale(report),
            "tables": _tables(report, locale) if report else (),
            "caveats": _caveats(report),
            "plain": asdict,
            "WIDTH": WIDTH,
        }


def _scale(report: PerformanceReport | None) -> float:
    """Return where the scale of the calibration ends, so that small risks can be told apart."""
    groups = report.calibration if report else ()
    largest = max((max(group.predicted, group.observed.high) for group in groups), default=0.0)
    return min(end for end in _NEAREST if end >= largest)


def _caveats(report: PerformanceReport | None) -> list[Pair]:
    """Return what figures cannot tell, and refusals neither; beside figures, the notes have the first."""
    acting = [] if report and report.whole.figures else [sentences.ACTING]
    return [*acting, *sentences.CAVEATS]


def _tables(report: PerformanceReport, locale: Locale) -> list[tuple[str, list[DrawnSlice]]]:
    """Return the slices by month, then by the groups of each field, with the title of each table."""
    tables = [(locale.pick(sentences.BY_MONTH), report.by_month)]
    names = dict.fromkeys(part.field for part in report.by_group if part.field)
    for field in names:
        tables.append((locale.label(field), [part for part in report.by_group if part.field == field]))
    known = [part for _, parts in tables for part in parts if part.figures]
    excesses = [part.figures.excess for part in known if part.figures]
    drawn = spans([(excess.low, excess.value, excess.high) for excess in excesses])
    span_of = {id(part): span for part, span in zip(known, drawn, strict=True)}
    return [
        (title, [DrawnSlice(_name(part, locale), part, span_of.get(id(part))) for part in parts])
        for title, parts in tables
        if parts
    ]


def _name(part: Slice, locale: Locale) -> str:
    return locale.value(part.name or "", part.field or "")
