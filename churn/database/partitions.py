"""The journal's monthly partitions on PostgreSQL; on SQLite nothing here does anything.

Each table is partitioned by its key, a UUIDv7 and so a time. A row whose month has no partition goes to the
table's default partition, so that nothing is lost. PostgreSQL makes no partition for a month that has rows
there: they stay, are read like all others, and are purged row by row. The functions that take an engine raise
DatabaseError where the database does not answer.
"""

import logging
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import IntegrityError

from churn.core.errors import DatabaseError
from churn.database.locks import alone, patiently
from churn.database.months import Month, bound
from churn.database.schema import INSUFFICIENT_PRIVILEGE, explained, sqlstate
from churn.database.tables import (
    JOURNAL,
    employee_inputs,
    features,
    journal_batches,
    outcomes,
    prediction_results,
    requests,
    reviews,
)

logger = logging.getLogger("churn")

AHEAD = 3  # months for which partitions are made in advance
MAX_COUNT = 100_000  # rows of a default partition: no more are counted

# Every partitioned table and its key.
KEYS = {table.name: table.primary_key.columns.keys()[0] for table in (*JOURNAL, journal_batches)}


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of a table: the keys from `lower` up to `upper`, which is excluded."""

    name: str
    lower: uuid.UUID
    upper: uuid.UUID

    def holds(self, month: Month) -> bool:
        """Return whether the rows of a month belong here."""
        return self.lower <= month.lower and month.upper <= self.upper


@dataclass(frozen=True, slots=True)
class Listing:
    """The partitions: the months for which every table has one, and the rows that are in none.

    `default_rows` counts the latter by table, up to MAX_COUNT. Tables without any are left out, and so are
    those whose default partition the database's role may not read.
    """

    months: Sequence[Month]
    default_rows: dict[str, int]


def ensure(engine: Engine, ahead: int = AHEAD) -> None:
    """Make the partitions of this month and the next ones, where they are missing.

    A warning is logged where the database's role may not do that, and for a month that has rows in the
    default partition already: its rows stay there.

    Raises:
        DatabaseError: also where the tables are in use all the time.
    """
    if engine.dialect.name != "postgresql":
        return
    try:
        with explained(engine):
            _ensure(engine, ahead)
    except DatabaseError as error:
        if sqlstate(error) != INSUFFICIENT_PRIVILEGE:
            raise
        logger.warning(
            "this role may not make partitions, so rows go to the default one: "
            "run `churn db upgrade` once a month as the owner of the tables"
        )


def drop_before(engine: Engine, moment: datetime) -> list[str]:
    """Drop the months whose rows are all older than a moment, and return the names of the partitions.

    Older rows elsewhere stay, as do those of a month for which some table has no partition. The predictions
    of a dropped request are removed too, since those of a request shortly before the month's end may come
    after it; and so are its review and its outcomes.

    Raises:
        DatabaseError: as `ensure`, or the role may not drop them.
    """
    if engine.dialect.name != "postgresql":
        return []
    dropped: list[str] = []
    with explained(engine), alone(engine) as connection:
        with connection.begin():
            by_table = {table: partitions(connection, table) for table in KEYS}
        ends = set.intersection(*({part.upper for part in parts} for parts in by_table.values()))
        # A month is dropped from all tables at once: nobody ever sees half a prediction.
        for upper in sorted(end for end in ends if end <= bound(moment)):
            names = [part.name for parts in by_table.values() for part in parts if part.upper == upper]
            with connection.begin():
                patiently(connection, partial(_drop, connection, names, upper))
            dropped += names
    return dropped


def listing(engine: Engine) -> Listing:
    """Return the partitions; empty on SQLite."""
    if engine.dialect.name != "postgresql":
        return Listing((), {})
    with explained(engine), engine.connect() as connection:
        by_table = [{Month.of_id(part.lower) for part in partitions(connection, table)} for table in KEYS]
        counts = {table: _count_default(connection, table) for table in KEYS}
    return Listing(
        sorted(set.intersection(*by_table)), {table: count for table, count in counts.items() if count}
    )


def partitions(connection: Connection, table: str) -> list[Partition]:
    """Return the partitions of a table in the order of their keys, without the default one."""
    query = sa.text(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(:table AS regclass)"
    )
    parts = []
    for name, expression in connection.execute(query, {"table": table}):
        if match := re.fullmatch(r"FOR VALUES FROM \('(.+)'\) TO \('(.+)'\)", expression):
            parts.append(Partition(name, uuid.UUID(match[1]), uuid.UUID(match[2])))
    return sorted(parts, key=lambda part: part.lower)


def _ensure(engine: Engine, ahead: int) -> None:
    months = Month.of(datetime.now(UTC)).through(ahead)
    with engine.connect() as connection:
        if not _lacking(connection, months):
            return
    with alone(engine) as connection:
        with connection.begin():
            lacking = _lacking(connection, months)
        for month, tables in lacking.items():
            if not _add(connection, month, tables):
                logger.warning(
                    "the month %s gets no partitions, since the default ones have rows of it: "
                    "nothing is lost, and `churn data purge` removes them when they are old",
                    month,
                )


def _lacking(connection: Connection, months: Sequence[Month]) -> dict[Month, list[str]]:
    """Return the months that lack a partition, with the tables where it is missing."""
    by_table = {table: partitions(connection, table) for table in KEYS}
    lacking = {
        month: [table for table, parts in by_table.items() if not any(part.holds(month) for part in parts)]
        for month in months
    }
    return {month: tables for month, tables in lacking.items() if tables}


def _add(connection: Connection, month: Month, tables: Sequence[str]) -> bool:
    """Make a month's partitions in all tables or in none; return False where a default one has rows of it."""
    try:
        with connection.begin():
            if any(_has_rows(connection, table, month) for table in tables):
                return False
            patiently(connection, partial(_attach, connection, month, tables))
    except IntegrityError:  # a row came in between
        return False
    return True


def _has_rows(connection: Connection, table: str, month: Month) -> bool:
    key = sa.column(KEYS[table], sa.Uuid)
    rows = select(key).select_from(sa.table(table)).where(key >= month.lower, key < month.upper)
    return connection.execute(rows.limit(1)).first() is not None


def _attach(connection: Connection, month: Month, tables: Sequence[str]) -> None:
    """Make empty partitions.

    They are tables that are attached: CREATE TABLE … PARTITION OF would lock the parent against every call.
    """
    for table in tables:
        name = month.partition(table)
        connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
        connection.exec_driver_sql(f"ALTER TABLE {table} ATTACH PARTITION {name} {month.bounds}")


def _drop(connection: Connection, names: Sequence[str], upper: uuid.UUID) -> None:
    for name in names:
        connection.exec_driver_sql(f"DROP TABLE {name}")
    orphaned = (
        employee_inputs.c.request_id < upper,
        ~sa.exists().where(requests.c.id == employee_inputs.c.request_id),
    )
    keys = connection.execute(select(employee_inputs.c.id).where(*orphaned)).scalars().all()
    for table in (features, prediction_results, employee_inputs):
        connection.execute(delete(table).where(table.c.id.in_(keys)))
    for table in (reviews, outcomes):
        orphaned = table.c.request_id < upper, ~sa.exists().where(requests.c.id == table.c.request_id)
        connection.execute(delete(table).where(*orphaned))


def _count_default(connection: Connection, table: str) -> int:
    default = f"{table}_default"
    # Privileges on the table do not extend to its default partition.
    if not connection.execute(select(sa.func.has_table_privilege(default, "SELECT"))).scalar():
        return 0
    some = select(sa.literal(1)).select_from(sa.table(default)).limit(MAX_COUNT).subquery()
    return connection.execute(select(sa.func.count()).select_from(some)).scalar_one()
