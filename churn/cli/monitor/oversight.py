"""`churn monitor oversight`: how often people disagree with predictions, and who was right."""

from collections.abc import Iterator
from datetime import datetime

import click
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from churn.cli.connection import connected
from churn.cli.data.period import period
from churn.cli.monitor.telling import model_of, of_model, tell, telling_options
from churn.core.language import Language
from churn.i18n import oversight_sentences as sentences
from churn.i18n.formatting import Locale
from churn.monitoring.oversight_monitor import OversightMonitor
from churn.monitoring.performance_summary import plain
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import Disagreement, OversightReport

EXIT_CODES = {"overseen": 0, "unreviewed": 3, "unanimous": 3, "too_few": 4, "empty": 4}


@click.command()
@period
@of_model
@telling_options("/oversight")
def oversight(
    since: datetime | None, until: datetime | None, tag: str, language: Language, *, as_json: bool
) -> None:
    """Count how often people disagree with predictions: by default, with those of the last 90 days.

    Where outcomes are known (`churn outcomes`), it says who was right.

    Exit codes: 0 where people disagree at times, 1 where the journal or the model cannot be read, 3 where
    nobody reviews or nobody ever disagrees, 4 where nothing can be told yet.
    """
    tag, dictionary = model_of(tag)
    query = OversightQuery(since=since, until=until)
    with connected(patient=True) as engine:
        report = OversightMonitor(engine, dictionary).look(query, tag, language)
    tell(report, _tables(report, Locale(language, dictionary, space=" ")), as_json=as_json)
    raise SystemExit(EXIT_CODES[report.verdict])


def _tables(report: OversightReport, locale: Locale) -> Iterator[RenderableType]:
    if report.whole.reviewed:
        yield _table(report, locale)


def _table(report: OversightReport, locale: Locale) -> Table:
    """Return a row for each answer, leading field and group."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(locale.pick(sentences.NAME), ratio=1)
    for heading in (sentences.REVIEWED, sentences.DISAGREED, sentences.SHARE):
        table.add_column(locale.pick(heading), justify="right", no_wrap=True)
    for one in report.by_answer:
        _add(table, locale.pick(sentences.ANSWERS[one.name or ""]), one, locale)
    table.add_section()
    table.add_row(locale.pick(sentences.BY_FIELD), style="bold")
    for one in report.by_field:
        _add(table, f"  {locale.label(one.name or '')}", one, locale)
    field = None
    for one in report.by_group:
        if one.field and one.field != field:
            field = one.field
            table.add_section()
            table.add_row(locale.label(field), style="bold")
        _add(table, f"  {locale.value(one.name or '', one.field or '')}", one, locale)
    return table


def _add(table: Table, name: str, one: Disagreement, locale: Locale) -> None:
    share = locale.share(plain(one.share)) if one.share else "–"
    table.add_row(name, locale.count(one.reviewed), locale.count(one.disagreed), share)
