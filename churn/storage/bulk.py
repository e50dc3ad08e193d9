"""Rows in bulk: one round trip to PostgreSQL for all of them, one statement a table for SQLite.

What a statement costs in round trips and in hand-overs of the interpreter lock is far more than what its
rows cost: rows are written by a few statements of many rows each.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

from churn.storage.entries import Cell, Entry, moment
from churn.storage.line import Line
from churn.storage.seals import Batch
from churn.storage.tables import JOURNAL, UtcDateTime, journal_batches, requests

# An entry's rows are without the batch, which is known last.
_COLUMNS = {
    table: [column.name for column in table.columns if column.name != "batch_id"]
    + ["batch_id"] * (table is requests)
    for table in (*JOURNAL, journal_batches)
}
_INTO = {
    # Names of our own; quoted, since one of them is `values`.
    table.name: f"{table.name} (" + ", ".join([f'"{name}"' for name in names]) + ") VALUES "
    for table, names in _COLUMNS.items()
}
# Where a table has a moment: entries tell it in UTC, and PostgreSQL has to be told that it is.
_MOMENTS = {
    table.name: names.index(name)
    for table, names in _COLUMNS.items()
    for name in names
    if isinstance(table.c[name].type, UtcDateTime)
}
_SQLITE_VARIABLES = 32_766  # that one statement may have

Rows = Sequence[Sequence[Cell | bytes]]


def write_rows(connection: Connection, entries: Sequence[Entry], batch: Batch) -> None:
    """Write entries and their batch, all or none, also on a connection that commits each statement."""
    rows = _rows(entries, batch)
    if connection.dialect.name == "postgresql":
        # One message is one transaction, and one round trip.
        line = cast("Line", connection.connection.dbapi_connection)
        into = f"INSERT INTO {line.session.prefix}"
        inserts = [f"{into}{_INTO[table]}{','.join(_literals(table, of))}" for table, of in rows]
        # A transaction that is open has been told already for how long it may take.
        text = ";".join([line.session.limit, *inserts] if line.autocommit else inserts)
        with _discreet():
            connection.exec_driver_sql(text, execution_options={"no_parameters": True})
        return
    for table, of in rows:
        for part in _parts(of):
            marks = f"({', '.join('?' * len(of[0]))})"
            bound: Any = tuple([cell for row in part for cell in row])
            connection.exec_driver_sql(f"INSERT INTO {_INTO[table]}" + ", ".join([marks] * len(part)), bound)


@contextmanager
def _discreet() -> Iterator[None]:
    """Keep the statement out of errors, by SQLAlchemy and by the driver: it holds employees' values."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        error.statement = "the journal's rows"
        raise
    except DBAPIError as error:
        raise type(error)("the journal's rows", None, _Hidden(error.orig)) from None


class _Hidden(Exception):  # noqa: N818 - it stands for any of the driver's
    """What is left of a driver's error: its name, and PostgreSQL's code."""

    def __init__(self, error: BaseException | None) -> None:
        super().__init__(type(error).__name__)
        self.pgcode = getattr(error, "pgcode", None)


def _rows(entries: Sequence[Entry], batch: Batch) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of each table that has some."""
    for number, table in enumerate(JOURNAL):
        rows: Rows = [row for entry in entries for row in entry.rows[number]]
        if table is requests:
            rows = [[*row, batch.id.hex] for row in rows]
        if rows:
            yield table.name, rows
    at = moment(datetime.now(UTC))
    link: list[Cell | bytes] = [
        batch.id.hex,
        batch.chain.hex,
        batch.sequence,
        at,
        batch.previous,
        batch.leaves,
        batch.digest,
    ]
    yield journal_batches.name, [link]


def _literals(table: str, rows: Rows) -> list[str]:
    """Return a table's rows as PostgreSQL's SQL."""
    at = _MOMENTS.get(table)
    if at is not None:
        rows = [[*row[:at], f"{row[at]!s}+00", *row[at + 1 :]] for row in rows]
    return [f"({','.join([_literal(cell) for cell in row])})" for row in rows]


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


def _parts(rows: Rows) -> Iterator[Rows]:
    size = _SQLITE_VARIABLES // len(rows[0])
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
