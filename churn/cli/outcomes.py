"""`churn outcomes`: what has become of the employees about whom predictions were made."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import click

from churn.cli.company import DICTIONARY
from churn.cli.connection import connected
from churn.core.language import LANGUAGES, Language, pair_of
from churn.core.settings import load
from churn.i18n.outcome_sentences import FAULTS
from churn.ingest.archive import unpacked
from churn.ingest.outcome_file import read_outcomes
from churn.journal.operator_actions import OUTCOMES, record_action
from churn.journal.pseudonyms import stored_forms
from churn.model.served_dictionary import journalled_dictionary
from churn.monitoring.outcome_intake import sift
from churn.schemas.outcome import OutcomeProblem

MOST_LISTED = 20
NOTHING_TAKEN = 3
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--known-until",
    type=_DAY,
    metavar="DAY",
    help="Until when this is known (2026-12-31), where no column says it.",
)
@click.option("--date-format", metavar="FORMAT", help="How days are written, as in '%d/%m/%Y'.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the messages."
)
def outcomes(file: Path, known_until: datetime | None, date_format: str | None, language: Language) -> None:
    """Store what has become of employees: FILE, in CSV, Excel, .ods or Parquet, has a row for each.

    It has a column of ids, one of the days on which people left (empty for who is still there), and one of
    the days until which that is known, or --known-until. Rows that cannot be right are listed, the others
    are stored, sealed, and erased with the person. Of several outcomes of a person, the newest counts.

    Exit codes: 1 where the file cannot be read, 3 where no row was taken.
    """
    settings, day = load(), known_until.date() if known_until else None
    key = settings.pseudonym_key.get_secret_value()
    with ExitStack() as stack:
        path = stack.enter_context(unpacked(file))
        identifier = journalled_dictionary(DICTIONARY).identifier
        read = read_outcomes(path, identifier, day, date_format)
        click.echo(f"note: {pair_of(read.understood)[LANGUAGES.index(language)]}")
        engine = stack.enter_context(connected(patient=True))
        taken, problems = sift(engine, read.outcomes, partial(stored_forms, key=key), _today())
        problems += read.problems
        left = sum(outcome.left_on is not None for outcome in taken)
        if taken:
            detail = {"stored": len(taken), "left": left, "refused": dict(Counter(p.fault for p in problems))}
            record_action(engine, OUTCOMES, detail, outcomes=taken)
    _list(sorted(problems, key=lambda problem: problem.place), language)
    stored = f"{len(taken):,} outcome{'s' * (len(taken) != 1)} stored"
    click.echo(f"{stored}, {left:,} of them of leavers; {len(problems):,} not taken")
    if not taken:
        raise SystemExit(NOTHING_TAKEN)


def _today() -> date:
    return datetime.now(UTC).date()


def _list(problems: Sequence[OutcomeProblem], language: Language) -> None:
    for problem in problems[:MOST_LISTED]:
        click.echo(f"  row {problem.place}: {FAULTS[problem.fault][LANGUAGES.index(language)]}")
    if len(problems) > MOST_LISTED:
        click.echo(f"  and {len(problems) - MOST_LISTED:,} more")
