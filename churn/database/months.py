"""Months, as the journal's partitions have them: from the first UUIDv7 of one to the first of the next."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection, select

from churn.core.ids import moment_of


def bound(moment: datetime) -> uuid.UUID:
    """Return a UUID between the UUIDv7s made before a moment and those made from then on."""
    return uuid.UUID(int=int(moment.timestamp()) * 1000 + moment.microsecond // 1000 << 80)


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """Return the month of a moment."""
        utc = moment.astimezone(UTC)
        return cls(utc.year, utc.month)

    @classmethod
    def of_id(cls, key: uuid.UUID) -> "Month":
        """Return the month in which a UUIDv7 was made."""
        return cls.of(moment_of(key))

    @property
    def next(self) -> "Month":
        """The following month."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def through(self, ahead: int) -> list["Month"]:
        """Return this month and so many following ones."""
        months = [self]
        for _ in range(ahead):
            months.append(months[-1].next)
        return months

    @property
    def lower(self) -> uuid.UUID:
        """The smallest key of the month."""
        return bound(datetime(self.year, self.month, 1, tzinfo=UTC))

    @property
    def upper(self) -> uuid.UUID:
        """The smallest key of the following month."""
        return self.next.lower

    @property
    def bounds(self) -> str:
        """The range of the month's keys, as SQL."""
        return f"FOR VALUES FROM ('{self.lower}') TO ('{self.upper}')"

    def partition(self, table: str) -> str:
        """Return the name of a table's partition for this month."""
        return f"{table}_{self.year:04}_{self.month:02}"

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


def months_in(connection: Connection, table: str, key: str, last: Month) -> list[Month]:
    """Return the months of a table's rows, up to a last one; reads one row per month, by the key's index."""
    column = sa.column(key, sa.Uuid)
    keys = select(column).select_from(sa.table(table, column)).order_by(column).limit(1)
    months: list[Month] = []
    start = uuid.UUID(int=0)
    while first := connection.execute(keys.where(column >= start, column < last.upper)).scalar():
        months.append(Month.of_id(first))
        start = months[-1].upper
    return months


def is_partition(name: str) -> bool:
    """Return whether a name is that of a partition, of a month or the default one."""
    return re.fullmatch(r"\w+_(\d{4}_\d\d|default)", name) is not None
