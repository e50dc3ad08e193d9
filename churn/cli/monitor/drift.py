"""`churn monitor drift`: compares what was predicted lately with what a model learned from."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import click
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from churn.cli.connection import connected
from churn.cli.data.period import period
from churn.cli.monitor.telling import model_of, of_model, tell, telling_options
from churn.core.language import Language
from churn.i18n import drift_sentences as sentences
from churn.i18n.formatting import Locale
from churn.monitoring.drift_monitor import DriftMonitor
from churn.schemas.drift_query import LOOKS, MOST_LOOKS, MOST_ROWS, DriftQuery
from churn.schemas.drift_report import DriftReport, FieldDrift

EXIT_CODES = {"calm": 0, "drift": 3, "too_few": 4, "empty": 4, "no_reference": 4}
_HALF = 4  # characters of a bar, to each side


@click.command()
@period
@click.option(
    "--last", type=click.IntRange(1, MOST_ROWS), metavar="N", help="The N employees predicted about last."
)
@partial(of_model, preposition="By")
@click.option(
    "--looks", type=click.IntRange(1, MOST_LOOKS), default=LOOKS, show_default=True, help="Looks a year."
)
@telling_options("/drift")
def drift(
    since: datetime | None,
    until: datetime | None,
    last: int | None,
    tag: str,
    looks: int,
    language: Language,
    *,
    as_json: bool,
) -> None:
    """Compare what was predicted with what the model learned from: by default, in the last seven days.

    Each employee counts once, by their last prediction. In a year of so many looks without any drift, one
    alarms with a probability of at most 5%.

    Exit codes: 0 where nothing has moved, 1 where the journal or the model cannot be read, 3 where something
    has moved, 4 where nothing can be told: too few rows, or a model without a reference.
    """
    tag, dictionary = model_of(tag)
    query = DriftQuery(since=since, until=until, last=last, looks=looks)
    with connected(patient=True) as engine:
        report = DriftMonitor(engine, dictionary).look(query, tag, language)
    tell(report, _tables(report, Locale(language, dictionary, space=" ")), as_json=as_json)
    raise SystemExit(EXIT_CODES[report.verdict])


def _tables(report: DriftReport, locale: Locale) -> Iterator[RenderableType]:
    if report.figures is not None and report.figures.fields:
        yield _table(report.figures.fields, locale)
        yield locale.pick(sentences.READING)


def _table(fields: tuple[FieldDrift, ...], locale: Locale) -> Table:
    """Return a row a field, the one that moves the risk most first."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(locale.pick(sentences.FIELD), ratio=1)
    table.add_column("", no_wrap=True)
    table.add_column(locale.pick(sentences.EFFECT), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for heading in (sentences.P_VALUE, sentences.PSI, sentences.UNKNOWN, sentences.BEYOND):
        table.add_column(locale.pick(heading), justify="right", max_width=7)
    by_effect = sorted(fields, key=lambda field: -abs(field.contribution.change))
    largest = abs(by_effect[0].contribution.change) or 1.0
    for field in by_effect:
        change = field.contribution.change
        table.add_row(
            locale.label(field.name),
            "*" * field.alarm,
            locale.signed(change, 3),
            _bar(change / largest),
            locale.p_value(field.p_value),
            locale.number(field.psi),
            locale.percent(field.unknown, 1),
            locale.percent(field.beyond, 1),
            style="bold" if field.alarm else None,
        )
    return table


def _bar(share: float) -> str:
    """Return a bar from the middle: to the right it raises the risk."""
    length = round(abs(share) * _HALF)
    left, right = ("█" * length, "") if share < 0 else ("", "█" * length)
    return f"{left:>{_HALF}}│{right:<{_HALF}}"
