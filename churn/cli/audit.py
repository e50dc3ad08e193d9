"""`churn audit`: who signed in, was refused, read the journal, or changed users, tokens and data."""

import json
from datetime import UTC, datetime, timedelta

import click
from rich.table import Table

from churn.cli.age import METAVAR, read_age
from churn.cli.console import make_console
from churn.core.settings import load
from churn.database import schema
from churn.database.engine import opened
from churn.records.audit_log import EVENT_KINDS, Event, events


@click.command()
@click.option(
    "--since",
    default="7d",
    show_default=True,
    callback=read_age,
    metavar=METAVAR,
    help="How far to look back.",
)
@click.option(
    "--kind", "kinds", type=click.Choice(EVENT_KINDS), multiple=True, help="Only this kind; may be repeated."
)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="List at most this many."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each event.")
def audit(since: timedelta, kinds: tuple[str, ...], limit: int, *, as_json: bool) -> None:
    """List who signed in, who was refused, who read the journal, and who changed users, tokens and data.

    The newest comes first. A refused sign-in names the user whose password was wrong.
    """
    with opened(load().database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        found = events(engine, datetime.now(UTC) - since, kinds=kinds or EVENT_KINDS, limit=limit)
    if as_json:
        for event in found:
            click.echo(json.dumps(_plain(event), ensure_ascii=False))
        return
    table = Table("when (UTC)", "kind", "who", "what", "from", "status", "times", "detail")
    for event in found:
        table.add_row(*_cells(event))
    make_console().print(table)


def _plain(event: Event) -> dict[str, object]:
    return {
        "at": event.at.isoformat(),
        "kind": event.kind,
        "who_kind": event.who_kind,
        "who": event.who,
        "what": event.what,
        "address": event.address,
        "status": event.status,
        "times": event.times,
        "detail": event.detail,
    }


def _cells(event: Event) -> tuple[str, ...]:
    detail = ", ".join(f"{name}: {value}" for name, value in event.detail.items())
    who = f"{event.who_kind} {event.who or ''}".strip()
    when, times = f"{event.at:%Y-%m-%d %H:%M:%S}", str(event.times)
    return when, event.kind, who, event.what, event.address or "", str(event.status), times, detail
