"""`churn data erase`: one person's data, as article 17 of the GDPR lets them ask."""

import click

from churn.cli.data.person import IN_LOG, look_up
from churn.core.errors import SpoolError
from churn.core.operator import operator
from churn.core.settings import Settings, load
from churn.database import schema
from churn.database.engine import opened
from churn.journal.spool import Spool
from churn.journal.writer import Writer
from churn.records.privacy import erase as take_away


@click.command()
@click.argument("employee")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def erase(employee: str, *, yes: bool) -> None:
    """Erase every value about EMPLOYEE from the journal. This cannot be undone.

    The rows stay, empty, and so does the proof that nothing else was touched. The journal
    records the erasure, but not whose data it was.
    """
    settings = load()
    _check_spool(settings)
    with opened(settings.database_url.get_secret_value(), patient=True) as engine:
        schema.check(engine)
        forms, number = look_up(engine, employee, settings)
        if not yes:
            click.confirm(f"Erase {number:,} predictions about this employee for good?", abort=True)
        writer = Writer(engine)
        found = take_away(engine, writer, forms, operator())
        writer.close()
    click.echo(f"{found.predictions:,} predictions and {found.answers:,} answers erased")
    if found.in_log:
        click.echo(IN_LOG)


def _check_spool(settings: Settings) -> None:
    """Refuse while calls wait in the spool of this machine: they may be about the same person."""
    waiting = Spool(settings.spool, settings.spool_mb * 1024**2).state().records
    if waiting:
        raise SpoolError(
            f"{waiting:,} calls wait in the spool {settings.spool} and may be about this employee: "
            "let the service put them into the database first"
        )
