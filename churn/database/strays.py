"""Strays: rows in a default partition that belong to months which have no partition yet.

PostgreSQL attaches no partition whose rows lie in the default one, and moving many would lock them for
long. So the default partition is copied in small transactions into partitions that are not attached
yet, a trigger repeats on the copy what calls and erasures do to it meanwhile, and one short transaction
puts the copies in its place. Begun again after an interruption, it starts afresh; nothing is lost.
"""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection, select

from churn.database.locks import patiently
from churn.database.months import Month

CHUNK = 5_000  # rows copied in one transaction

_MIRROR = """
CREATE OR REPLACE FUNCTION {mirror}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    EXECUTE format('DELETE FROM %%I WHERE %%I = $1.%%2$I', TG_ARGV[0], TG_ARGV[1]) USING OLD;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    EXECUTE format('INSERT INTO %%I SELECT $1.*', TG_ARGV[0]) USING NEW;
  END IF;
  RETURN NULL;
END
$body$
"""

# Locked row by row: a row that is being changed is copied as it is afterwards, or was mirrored already.
_COPY = """
INSERT INTO {copy} SELECT * FROM {default} WHERE {key} >= %s AND {key} <= %s FOR SHARE ON CONFLICT DO NOTHING
"""


def default(table: str) -> str:
    """Return the name of a table's default partition."""
    return f"{table}_default"


def move(connection: Connection, table: str, key: str, months: Sequence[Month]) -> None:
    """Make partitions for months of which the default partition has rows, and move the rows there.

    The connection is in no transaction, and the only one that changes the schema.
    """
    with connection.begin():
        patiently(connection, lambda: _prepare(connection, table, key, months))
    _copy(connection, table, key)
    with connection.begin():
        patiently(connection, lambda: _swap(connection, table, months))


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.exec_driver_sql(statement)


def _prepare(connection: Connection, table: str, key: str, months: Sequence[Month]) -> None:
    copy, mirror = f"{table}_next", f"mirror_{table}"
    _run(
        connection,
        _MIRROR.format(mirror=mirror),
        f"DROP TRIGGER IF EXISTS {mirror} ON {default(table)}",
        f"DROP TABLE IF EXISTS {copy}",
        f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL) PARTITION BY RANGE ({key})",
        f"CREATE TABLE {default(copy)} PARTITION OF {copy} DEFAULT",
    )
    for month in months:
        name = month.partition(table)
        # The check says what the bounds say: attached by it, the rows need not be read under a lock.
        within = f"{key} >= '{month.lower}' AND {key} < '{month.upper}'"
        _run(
            connection,
            f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL, CONSTRAINT within CHECK ({within}))",
            f"ALTER TABLE {copy} ATTACH PARTITION {name} {month.bounds}",
        )
    _run(
        connection,
        f"CREATE TRIGGER {mirror} AFTER INSERT OR UPDATE OR DELETE ON {default(table)}"
        f" FOR EACH ROW EXECUTE FUNCTION {mirror}('{copy}', '{key}')",
    )


def _copy(connection: Connection, table: str, key: str) -> None:
    column = sa.column(key, sa.Uuid)
    keys = select(column).select_from(sa.table(default(table), column)).order_by(column).limit(CHUNK)
    copy = _COPY.format(copy=f"{table}_next", default=default(table), key=key)
    after = uuid.UUID(int=0)
    while True:
        with connection.begin():
            chunk = connection.execute(keys.where(column > after)).scalars().all()
            if not chunk:
                return
            connection.exec_driver_sql(copy, (str(chunk[0]), str(chunk[-1])))
        after = chunk[-1]


def _swap(connection: Connection, table: str, months: Sequence[Month]) -> None:
    copy, old = f"{table}_next", default(table)
    _run(
        connection,
        f"LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE",
        f"ALTER TABLE {table} DETACH PARTITION {old}",
        f"DROP TABLE {old}",
    )
    for month in months:
        name = month.partition(table)
        _run(
            connection,
            f"ALTER TABLE {copy} DETACH PARTITION {name}",
            f"ALTER TABLE {table} ATTACH PARTITION {name} {month.bounds}",
            f"ALTER TABLE {name} DROP CONSTRAINT within",
        )
    _run(
        connection,
        f"ALTER TABLE {copy} DETACH PARTITION {default(copy)}",
        f"ALTER TABLE {default(copy)} RENAME TO {old}",
        f"ALTER TABLE {table} ATTACH PARTITION {old} DEFAULT",
        f"DROP TABLE {copy}",
        f"DROP FUNCTION mirror_{table}",
    )
