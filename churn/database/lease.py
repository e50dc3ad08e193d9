"""A lease: which process of many does something, and when it was done last."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, or_, select, update

from churn.core.errors import ChurnError
from churn.database.schema import explained
from churn.database.tables import leases

_LEASE = leases.c


@dataclass(frozen=True)
class Lease:
    """One process's claim to what a lease is about; the others wait until it is done, or its time is over.

    `lasts` is the time after which a holder that has said nothing is taken for dead.
    """

    engine: Engine
    name: str
    lasts: timedelta
    holder: uuid.UUID = field(default_factory=uuid.uuid4)

    def take(self, now: datetime, every: timedelta) -> bool:
        """Take the lease, where nobody holds it and it was done last `every` ago; return whether that is so.

        Raises:
            DatabaseError: the database cannot be read or written.
        """
        due = (
            _LEASE.name == self.name,
            _LEASE.held_until <= now,
            or_(_LEASE.done_at.is_(None), _LEASE.done_at <= now - every),
        )
        with explained(self.engine):
            with self.engine.connect() as connection:  # which takes no lock: nearly always it is not due
                if connection.execute(select(_LEASE.name).where(*due)).first() is None:
                    return False
            changed = {"holder": self.holder, "held_until": now + self.lasts}
            with self.engine.begin() as connection:
                return _change(connection, due, changed)

    def finish(self, now: datetime, connection: Connection) -> None:
        """Say in a transaction that it is done.

        Raises:
            ChurnError: this process was taken for dead, and another holds the lease.
        """
        own = (_LEASE.name == self.name, _LEASE.holder == self.holder)
        if not _change(connection, own, {"holder": None, "held_until": now, "done_at": now}):
            raise ChurnError(f"the lease of {self.name} is another process's by now: this took too long")


def _change(
    connection: Connection, where: tuple[ColumnElement[bool], ...], changed: dict[str, object]
) -> bool:
    return connection.execute(update(leases).where(*where).values(changed)).rowcount == 1
