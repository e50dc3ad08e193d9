"""Batch files: consecutive batches of the journal with all their rows, one of them a line, compressed.

Rows are as SQLite has them, with their salts and digests, so that what is put back is sealed as it was.
"""

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from churn.core.errors import MirrorError
from churn.database.tables import (
    api_responses,
    employee_inputs,
    features,
    journal_batches,
    outcomes,
    prediction_results,
    requests,
    reviews,
)

_IN_BATCHES = "batch_id BETWEEN ? AND ?"
_IN_REQUESTS = "request_id IN (SELECT id FROM requests WHERE batch_id BETWEEN ? AND ?)"
_IN_INPUTS = """id IN (SELECT id FROM employee_inputs WHERE request_id IN (
    SELECT id FROM requests WHERE batch_id BETWEEN ? AND ?))"""
# Parents first: the batch is last, and whoever finds it has the rest.
_WHERE: dict[Table, str] = {
    requests: _IN_BATCHES,
    employee_inputs: _IN_REQUESTS,
    features: _IN_INPUTS,
    prediction_results: _IN_INPUTS,
    api_responses: _IN_REQUESTS,
    reviews: _IN_REQUESTS,
    outcomes: _IN_REQUESTS,
    journal_batches: "id BETWEEN ? AND ?",
}
_STRANGE = "a file of the dataset holds something else than rows of the journal"
_TABLES = {table.name: table for table in _WHERE}


def dump(connection: Connection, first: str, last: str) -> bytes:
    """Return the batches from `first` to `last`, by their ids, with their rows."""
    return gzip.compress(b"".join(_lines(connection, first, last)), mtime=0)


def _lines(connection: Connection, first: str, last: str) -> Iterator[bytes]:
    for table, where in _WHERE.items():
        query = f"SELECT * FROM {table.name} WHERE {where} ORDER BY 1"  # noqa: S608 - names of ours
        for row in connection.exec_driver_sql(query, (first, last)).mappings():
            yield orjson.dumps([table.name, dict(row)], default=_hexadecimal) + b"\n"


def _hexadecimal(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    raise TypeError


def restore(connection: Connection, content: bytes) -> None:
    """Insert the rows of a file that are not there; those that are stay as they are.

    Raises:
        MirrorError: it is no batch file, or one of a newer version.
    """
    for line in _unpacked(content).split(b"\n")[:-1]:
        try:
            name, row = orjson.loads(line)
            columns = _TABLES[name].columns
            cells = {column: _cell(value) for column, value in row.items() if column in columns}
        except (ValueError, TypeError, LookupError, AttributeError):
            raise MirrorError(_STRANGE) from None
        if len(cells) < len(row):
            raise MirrorError("the dataset was written by a newer version of churn: install that one")
        names, marks = ", ".join(f'"{column}"' for column in cells), ", ".join("?" * len(cells))
        insert = f"INSERT INTO {name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - as above
        connection.exec_driver_sql(insert, tuple(cells.values()))


def _unpacked(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise MirrorError(_STRANGE) from None


def _cell(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
