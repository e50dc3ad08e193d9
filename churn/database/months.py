"""Months, as the journal's partitions know them: from one UUIDv7 to the next month's."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection, select


def bound(moment: datetime) -> uuid.UUID:
    """Return what every UUIDv7 made at a moment or later is greater than, and every earlier one less."""
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
        return cls.of(datetime.fromtimestamp((key.int >> 80) // 1000, UTC))

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    def through(self, ahead: int) -> list["Month"]:
        """Return this month and as many of the following."""
        months = [self]
        for _ in range(ahead):
            months.append(months[-1].next)
        return months

    @property
    def lower(self) -> uuid.UUID:
        """The least key of the month."""
        return bound(datetime(self.year, self.month, 1, tzinfo=UTC))

    @property
    def upper(self) -> uuid.UUID:
        """The least key of the month after."""
        return self.next.lower

    @property
    def bounds(self) -> str:
        """The month's keys, as PostgreSQL's SQL."""
        return f"FOR VALUES FROM ('{self.lower}') TO ('{self.upper}')"

    def partition(self, table: str) -> str:
        """Return the name of a table's partition for this month."""
        return f"{table}_{self.year:04}_{self.month:02}"

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


def months_in(connection: Connection, table: str, key: str, last: Month) -> list[Month]:
    """Return the months of a table's rows, up to a last one; reads one row a month, by the key's index."""
    column = sa.column(key, sa.Uuid)
    keys = select(column).select_from(sa.table(table, column)).order_by(column).limit(1)
    found: list[Month] = []
    after = uuid.UUID(int=0)
    while first := connection.execute(keys.where(column >= after, column < last.upper)).scalar():
        found.append(Month.of_id(first))
        after = found[-1].upper
    return found


def is_partition(name: str) -> bool:
    """Return whether a name is that of a table's partition, for a month or the default one."""
    return re.fullmatch(r"\w+_(\d{4}_\d\d|default)", name) is not None
