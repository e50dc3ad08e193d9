"""The journal's monthly partitions on PostgreSQL; on SQLite nothing here does anything.

Each table is partitioned by its key, a UUIDv7 and so a time. What no month is there for goes to the
table's default partition, so that nothing is lost for want of a partition.
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

from churn.core.errors import DatabaseError
from churn.database import strays
from churn.database.locks import alone, patiently
from churn.database.months import Month, bound, months_in
from churn.database.schema import INSUFFICIENT_PRIVILEGE, explained, sqlstate
from churn.database.tables import (
    JOURNAL,
    employee_inputs,
    features,
    journal_batches,
    prediction_results,
    requests,
)

logger = logging.getLogger("churn")

AHEAD = 3  # months for which there are partitions beforehand
COUNTED = 100_000  # rows of a default partition that are counted at most

# Every partitioned table and its key.
KEYS = {table.name: table.primary_key.columns.keys()[0] for table in (*JOURNAL, journal_batches)}


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of a table: the keys from `lower` up to, but without, `upper`."""

    name: str
    lower: uuid.UUID
    upper: uuid.UUID

    def holds(self, month: Month) -> bool:
        """Return whether the rows of a month go here."""
        return self.lower <= month.lower and month.upper <= self.upper


@dataclass(frozen=True, slots=True)
class Listing:
    """What partitions there are: the months that every table has one for, and the rows that are in none.

    `strays` counts rows by table, up to COUNTED; a table without any is not in it, nor one whose default
    partition the database's role may not read.
    """

    months: Sequence[Month]
    strays: dict[str, int]


def ensure(engine: Engine, ahead: int = AHEAD) -> None:
    """Make the partitions of this month and of the next ones, where there are none.

    Rows that are in a default partition are moved to their months. Where the database's role may not do
    that, a warning is logged, and the rows go on to the default partition.

    Raises:
        DatabaseError: the database does not answer, or its tables are in use all the time.
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
    """Drop the partitions whose rows are all older than a moment, and return their names.

    Older rows in other partitions stay, those of predictions excepted whose request is dropped: a
    request shortly before the month's end has predictions shortly after.

    Raises:
        DatabaseError: as `ensure`, or the role may not drop them.
    """
    if engine.dialect.name != "postgresql":
        return []
    dropped: list[str] = []
    with explained(engine), alone(engine) as connection:
        with connection.begin():
            old = [
                found
                for table in KEYS
                for found in partitions(connection, table)
                if found.upper <= bound(moment)
            ]
        # A month goes from all tables at once: no half prediction is ever seen.
        for upper in sorted({found.upper for found in old}):
            names = [found.name for found in old if found.upper == upper]
            with connection.begin():
                patiently(connection, partial(_drop, connection, names, upper))
            dropped += names
    return dropped


def listing(engine: Engine) -> Listing:
    """Return what partitions there are; empty on SQLite.

    Raises:
        DatabaseError: the database does not answer.
    """
    if engine.dialect.name != "postgresql":
        return Listing((), {})
    with explained(engine), engine.connect() as connection:
        by_table = [{Month.of_id(one.lower) for one in partitions(connection, table)} for table in KEYS]
        counts = {table: _count_strays(connection, table) for table in KEYS}
    return Listing(
        sorted(set.intersection(*by_table)), {table: count for table, count in counts.items() if count}
    )


def partitions(connection: Connection, table: str) -> list[Partition]:
    """Return the partitions of a table by their keys; the default one is not among them."""
    query = sa.text(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(:table AS regclass)"
    )
    found = []
    for name, expression in connection.execute(query, {"table": table}):
        if match := re.fullmatch(r"FOR VALUES FROM \('(.+)'\) TO \('(.+)'\)", expression):
            found.append(Partition(name, uuid.UUID(match[1]), uuid.UUID(match[2])))
    return sorted(found, key=lambda one: one.lower)


def _ensure(engine: Engine, ahead: int) -> None:
    months = Month.of(datetime.now(UTC)).through(ahead)
    with engine.connect() as connection:
        if not any(_plan(connection, months).values()):
            return
    with alone(engine) as connection:
        with connection.begin():
            plan = _plan(connection, months)
        for table, lacking in plan.items():
            with connection.begin():
                has_strays = bool(_strays(connection, table, months))
            if has_strays:
                strays.move(connection, table, KEYS[table], lacking)
            elif lacking:
                with connection.begin():
                    patiently(connection, partial(_add, connection, table, lacking))


def _plan(connection: Connection, months: Sequence[Month]) -> dict[str, list[Month]]:
    """Return the months that each table lacks, those that some default partition has rows of included."""
    asked = {*months}.union(*[_strays(connection, table, months) for table in KEYS])
    plan = {}
    for table in KEYS:
        there = partitions(connection, table)
        plan[table] = sorted(month for month in asked if not any(one.holds(month) for one in there))
    return plan


def _strays(connection: Connection, table: str, months: Sequence[Month]) -> list[Month]:
    """Return the months of the rows in a default partition, but for a future beyond the last of some."""
    if not _may_read(connection, table):
        return []
    return months_in(connection, strays.default(table), KEYS[table], months[-1])


def _may_read(connection: Connection, table: str) -> bool:
    """Return whether this role may read a default partition itself: rights on the table do not reach it."""
    allowed = sa.func.has_table_privilege(strays.default(table), "SELECT")
    return bool(connection.execute(select(allowed)).scalar())


def _add(connection: Connection, table: str, months: Sequence[Month]) -> None:
    """Make empty partitions.

    Attached, not created as such: that would lock the table against every call.
    """
    for month in months:
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


def _count_strays(connection: Connection, table: str) -> int:
    if not _may_read(connection, table):
        return 0
    some = select(sa.literal(1)).select_from(sa.table(strays.default(table))).limit(COUNTED).subquery()
    return connection.execute(select(sa.func.count()).select_from(some)).scalar_one()
