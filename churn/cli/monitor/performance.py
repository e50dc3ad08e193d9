"""`churn monitor performance`: how good predictions turned out to be."""

from collections.abc import Iterator

import click
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from churn.cli.connection import connected
from churn.cli.horizon import horizon_option
from churn.cli.monitor.telling import model_of, of_model, tell, telling_options
from churn.core.language import Language
from churn.i18n import performance_sentences as sentences
from churn.i18n.formatting import Locale
from churn.monitoring.performance_monitor import PerformanceMonitor
from churn.monitoring.performance_summary import plain
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import Interval, PerformanceFigures, PerformanceReport, Slice

NOTHING_TOLD = 4


@click.command()
@of_model
@horizon_option("Within which people left.  [default: the model's, or 365]")
@telling_options("/performance")
def performance(tag: str, horizon: int | None, language: Language, *, as_json: bool) -> None:
    """Hold predictions against outcomes (`churn outcomes`): how many left, and whether it was those foreseen.

    Each employee counts once in a horizon. Who has not been followed to its end is stood for by those who
    were. Every figure has a 95% interval; below 20 leavers there is none.

    Exit codes: 0 where there are figures, 1 where the journal or the model cannot be read, 4 where nothing
    can be told yet.
    """
    tag, dictionary = model_of(tag)
    with connected(patient=True) as engine:
        report = PerformanceMonitor(engine, dictionary).look(PerformanceQuery(horizon=horizon), tag, language)
    tell(report, _tables(report, Locale(language, dictionary, space=" ")), as_json=as_json)
    raise SystemExit(0 if report.whole.figures else NOTHING_TOLD)


def _tables(report: PerformanceReport, locale: Locale) -> Iterator[RenderableType]:
    if report.whole.figures is not None:
        yield _figures(report.whole.figures, locale)
        yield _slices([report.whole, *report.by_month, *report.by_group], locale)


def _figures(figures: PerformanceFigures, locale: Locale) -> Table:
    """Return a row a figure, with its interval."""
    table = Table(box=SIMPLE_HEAD, show_header=False, padding=(0, 1, 0, 0))
    for name, pair in sentences.FIGURES.items():
        table.add_row(locale.pick(pair), _text(name, getattr(figures, name), locale))
    return table


def _slices(slices: list[Slice], locale: Locale) -> Table:
    """Return a row for all, each month and each group."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(locale.pick(sentences.PREDICTIONS), ratio=1)
    for heading in (sentences.ROWS, sentences.LEAVERS):
        table.add_column(locale.pick(heading), justify="right")
    for name in ("roc_auc", "excess"):
        table.add_column(locale.pick(sentences.FIGURES[name]), no_wrap=True)
    field = None
    for part in slices:
        figures = part.figures
        if part.field and part.field != field:
            field = part.field
            table.add_section()
            table.add_row(locale.label(part.field), style="bold")
        texts = [
            _text(name, getattr(figures, name), locale) if figures else locale.pick(sentences.TOO_FEW)
            for name in ("roc_auc", "excess")
        ]
        table.add_row(_name(part, locale), locale.count(part.rows), locale.count(part.leavers), *texts)
    return table


def _name(part: Slice, locale: Locale) -> str:
    if part.name is None:
        return locale.pick(sentences.ALL)
    return f"  {locale.value(part.name, part.field)}" if part.field else part.name


def _text(name: str, interval: Interval | None, locale: Locale) -> str:
    if interval is None:
        return "–"
    if name == "excess":
        return locale.points(plain(interval))
    write = locale.share if name in ("rate", "recall", "precision") else locale.estimate
    return write(plain(interval))
