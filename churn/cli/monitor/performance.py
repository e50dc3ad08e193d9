"""`churn monitor performance`: how good predictions turned out to be."""

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from churn.cli.company import DICTIONARY
from churn.cli.connection import connected
from churn.cli.console import make_console
from churn.core.language import LANGUAGES, Language
from churn.core.settings import load
from churn.i18n import performance_sentences as sentences
from churn.i18n.formatting import Locale
from churn.model import registry
from churn.monitoring.performance_monitor import PerformanceMonitor
from churn.monitoring.performance_summary import plain
from churn.schemas.performance_query import MOST_DAYS, PerformanceQuery
from churn.schemas.performance_report import Interval, PerformanceFigures, PerformanceReport, Slice

NOTHING_TOLD = 4


@click.command()
@click.option(
    "--model", "tag", default="", metavar="TAG", help="Of this model.  [default: the one that serves]"
)
@click.option(
    "--horizon",
    type=click.IntRange(1, MOST_DAYS),
    metavar="DAYS",
    help="Within which people left.  [default: the model's, or 365]",
)
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the table."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, as GET /performance answers it."
)
def performance(tag: str, horizon: int | None, language: Language, *, as_json: bool) -> None:
    """Hold predictions against outcomes (`churn outcomes`): how many left, and whether it was those foreseen.

    Each employee counts once in a horizon. Who has not been followed to its end is stood for by those who
    were. Every figure has a 95% interval; below 20 leavers there is none.

    Exit codes: 0 where there are figures, 1 where the journal or the model cannot be read, 4 where nothing
    can be told yet.
    """
    tag = registry.locate(tag or load().model)[0]
    dictionary = registry.load(tag, DICTIONARY).dictionary
    with connected(patient=True) as engine:
        report = PerformanceMonitor(engine, dictionary).look(PerformanceQuery(horizon=horizon), tag, language)
    if as_json:
        click.echo(report.model_dump_json())
    else:
        _print(make_console(), report, Locale(language, dictionary, space=" "))
    raise SystemExit(0 if report.whole.figures else NOTHING_TOLD)


def _print(console: Console, report: PerformanceReport, locale: Locale) -> None:
    console.print(report.model, report.summary, sep="\n", highlight=False)
    if report.whole.figures is not None:
        console.print(_figures(report.whole.figures, locale))
        console.print(_slices([report.whole, *report.by_month, *report.by_group], locale))
    for note in report.notes:
        console.print(f"- {note}", highlight=False)


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
