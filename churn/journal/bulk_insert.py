"""Rows in bulk: one round trip to PostgreSQL for all of them, one statement a table for SQLite.

A statement costs far more in round trips and hand-overs of the interpreter lock than its rows do. So a few
statements write many rows each.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import DataError

from churn.database.driver_errors import DRIVERS, discreet
from churn.database.postgres_connection import PostgresConnection
from churn.database.tables import CALL_TABLES, UtcDateTime, journal_batches, requests
from churn.journal.entry import Cell, Entry, moment
from churn.journal.hash_chain import Link

# An entry's rows have no batch, which is known last.
_COLUMNS = {
    table: [column.name for column in table.columns if column.name != "batch_id"]
    + ["batch_id"] * (table is requests)
    for table in (*CALL_TABLES, journal_batches)
}
_WIDTHS = {table.name: len(names) for table, names in _COLUMNS.items()}
_INTO = {
    # The names are ours; they are quoted, since one of them is `values`.
    table.name: f"{table.name} (" + ", ".join([f'"{name}"' for name in names]) + ") VALUES "
    for table, names in _COLUMNS.items()
}
# The place of a table's moment: entries have it in UTC, and PostgreSQL needs the time zone.
_MOMENTS = {
    table.name: names.index(name)
    for table, names in _COLUMNS.items()
    for name in names
    if isinstance(table.c[name].type, UtcDateTime)
}
_SQLITE_VARIABLES = 32_766  # in one statement, at most
_is_special = re.compile(r"['\\\0]").search  # in a text
_LABEL = "the journal's rows"  # in place of a statement, in errors

InsertRows = Sequence[Sequence[Cell | bytes]]


def write_rows(line: PoolProxiedConnection, entries: Sequence[Entry], batch: Link) -> None:
    """Write entries and their batch, all or none, even on a connection that commits each statement.

    With the driver's own cursor: a statement of SQLAlchemy's takes longer than the rows of a call.

    Raises:
        DBAPIError: the database refuses them; the error repeats nothing of their content.
    """
    driver, rows = line.dbapi_connection, _rows(entries, batch)
    try:
        cursor = line.cursor()
        try:
            if isinstance(driver, PostgresConnection):  # one message is one transaction, and one round trip
                cursor.execute(_message(driver, rows))
            else:
                for statement, bound in _statements(rows):
                    cursor.execute(statement, bound)
        finally:
            cursor.close()
    except DRIVERS as error:
        raise discreet(error, _LABEL) from None


def commit(line: PoolProxiedConnection) -> None:
    """Commit; raises DBAPIError where it is not known whether that was done."""
    try:
        line.commit()
    except DRIVERS as error:
        raise discreet(error, _LABEL) from None


def _message(line: PostgresConnection, rows: Iterable[tuple[str, InsertRows]]) -> str:
    into = f"INSERT INTO {line.session.prefix}"
    inserts = [f"{into}{_INTO[table]}{','.join(_literals(table, cells))}" for table, cells in rows]
    # An open transaction has its limits already.
    return ";".join([line.session.limit, *inserts] if line.autocommit else inserts)


def _statements(rows: Iterable[tuple[str, InsertRows]]) -> Iterator[tuple[str, tuple[Cell | bytes, ...]]]:
    for table, cells in rows:
        size = _SQLITE_VARIABLES // len(cells[0])
        for start in range(0, len(cells), size):
            part = cells[start : start + size]
            yield _insert(table, len(part)), tuple(chain.from_iterable(part))


@lru_cache(maxsize=256)
def _insert(table: str, rows: int) -> str:
    marks = f"({', '.join('?' * _WIDTHS[table])})"
    return f"INSERT INTO {_INTO[table]}" + ", ".join([marks] * rows)


def _rows(entries: Sequence[Entry], batch: Link) -> Iterator[tuple[str, InsertRows]]:
    """Yield the rows of each table that gets some."""
    for number, table in enumerate(CALL_TABLES):
        rows: InsertRows = [row for entry in entries for row in entry.rows[number]]
        if table is requests:
            rows = [[*row, batch.id.hex] for row in rows]
        if rows:
            yield table.name, rows
    link: list[Cell | bytes] = [
        batch.id.hex,
        batch.chain.hex,
        batch.sequence,
        moment(datetime.now(UTC)),
        batch.previous,
        batch.leaves,
        batch.digest,
    ]
    yield journal_batches.name, [link]


def _literals(table: str, rows: InsertRows) -> list[str]:
    """Return a table's rows as PostgreSQL's SQL."""
    index = _MOMENTS.get(table)
    if index is not None:
        rows = [[*row[:index], f"{row[index]!s}+00", *row[index + 1 :]] for row in rows]
    # Most cells are plain texts: a call for each would take longer than everything else.
    return [
        "("
        + ",".join([f"'{c}'" if type(c) is str and not _is_special(c) else _literal(c) for c in row])
        + ")"
        for row in rows
    ]


def _literal(cell: Cell | bytes) -> str:
    """Return a value as PostgreSQL's SQL, whatever `standard_conforming_strings` is."""
    if type(cell) is str:
        if "\x00" in cell:
            raise DataError("an entry", None, ValueError("PostgreSQL keeps no NUL in a text"))
        quoted = cell.replace("'", "''")
        return f"'{quoted}'" if "\\" not in quoted else "E'" + quoted.replace("\\", "\\\\") + "'"
    if cell is None:
        return "NULL"
    return f"E'\\\\x{cell.hex()}'" if isinstance(cell, bytes) else repr(cell)
