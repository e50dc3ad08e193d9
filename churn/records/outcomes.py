"""Outcomes, read back, and emptied once nothing else is known of a person.

An emptied outcome keeps its row, for the chain of digests, until its own request is purged.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, Connection, Engine, Text, cast, func, select

from churn.core.ids import moment_of
from churn.database.schema import explained
from churn.database.tables import employee_inputs, outcomes
from churn.journal.pseudonyms import PREFIX
from churn.records.emptied_rows import empty_rows
from churn.schemas.outcome import Outcome

CHUNK = 2000  # in one statement


def first_predictions(engine: Engine, employee_ids: Sequence[str]) -> dict[str, datetime]:
    """Return for each employee, by the id as it is stored, when they were first predicted about.

    Raises:
        DatabaseError: the database cannot be read.
    """
    column, found = employee_inputs.c.employee_id, dict[str, datetime]()
    for start in range(0, len(employee_ids), CHUNK):
        chunk = employee_ids[start : start + CHUNK]
        # As text: PostgreSQL finds no least UUID before version 18.
        first = func.min(cast(employee_inputs.c.id, Text))
        query = select(column, first).where(column.in_(chunk)).group_by(column)
        with explained(engine), engine.connect() as connection:
            found |= {row[0]: moment_of(uuid.UUID(row[1])) for row in connection.execute(query)}
    return found


def has_pseudonyms(engine: Engine) -> bool:
    """Return whether ids are stored as pseudonyms; raises DatabaseError."""
    query = select(employee_inputs.c.id).where(employee_inputs.c.employee_id.like(f"{PREFIX}%")).limit(1)
    with explained(engine), engine.connect() as connection:
        return connection.execute(query).first() is not None


def newest(engine: Engine) -> Iterator[Outcome]:
    """Yield what is known of each employee: their newest outcome, by the id as it is stored.

    Raises:
        DatabaseError: the database cannot be read.
    """
    columns = outcomes.c.employee_id, outcomes.c.left_on, outcomes.c.known_until
    query = select(*columns).where(outcomes.c.salt.is_not(None)).order_by(columns[0], outcomes.c.id)
    with explained(engine), engine.connect() as connection:
        rows = connection.execution_options(yield_per=CHUNK).execute(query)
        for _, of_one in groupby(rows, itemgetter(0)):
            *_, last = of_one
            yield Outcome(last.employee_id, last.left_on, last.known_until)


def about(engine: Engine, employee_ids: Sequence[str]) -> list[tuple[date | None, date]]:
    """Return what was said of a person, the oldest first: when they left, and until when it was known.

    Raises:
        DatabaseError: the database cannot be read.
    """
    query = (
        select(outcomes.c.left_on, outcomes.c.known_until)
        .where(outcomes.c.employee_id.in_(employee_ids))
        .order_by(outcomes.c.id)
    )
    with explained(engine), engine.connect() as connection:
        return [(row.left_on, row.known_until) for row in connection.execute(query)]


def to_empty(connection: Connection, employee_ids: Sequence[str]) -> Sequence[uuid.UUID]:
    """Return the outcomes of a person."""
    return _to_empty(connection, outcomes.c.employee_id.in_(employee_ids))


def to_empty_before(connection: Connection, key: uuid.UUID) -> Sequence[uuid.UUID]:
    """Return the outcomes of people about whom nothing was asked since a key was made."""
    since = employee_inputs.c.employee_id == outcomes.c.employee_id, employee_inputs.c.request_id >= key
    return _to_empty(connection, ~select(employee_inputs.c.id).where(*since).exists())


def _to_empty(connection: Connection, where: ColumnElement[bool]) -> Sequence[uuid.UUID]:
    query = select(outcomes.c.id).where(outcomes.c.salt.is_not(None), where)
    return connection.execute(query).scalars().all()


def empty(connection: Connection, keys: Sequence[uuid.UUID]) -> None:
    """Remove what some outcomes say, and their salts; the rows stay."""
    empty_rows(connection, outcomes.c.id, ("employee_id", "left_on", "known_until"), keys)
