"""Sealed rows: the rows of some batches, read back in the plain form in which they were digested."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Connection, Table, Text, cast, select

from churn.database.tables import (
    api_responses,
    employee_inputs,
    features,
    outcomes,
    prediction_results,
    requests,
    reviews,
)
from churn.journal.entry import moment
from churn.journal.hash_chain import leaf

KEYS = 10_000  # in one query


@dataclass(frozen=True, slots=True)
class Sealed:
    """One row: its place, and its leaf, which is None where the salt, or the row with the salt, is gone."""

    table: str
    id: uuid.UUID
    leaf: bytes | None


def rows_of(connection: Connection, batches: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Sealed]]:
    """Return the rows of some batches, in the order in which they were sealed."""
    calls = {row["id"]: row for row in _read(connection, requests, "batch_id", batches)}
    inputs = {row["id"]: row for row in _read(connection, employee_inputs, "request_id", calls)}
    # By place: the request, then the number of the table, then the input in its position.
    placed: list[tuple[tuple[Any, ...], Sealed]] = []
    for key, row in calls.items():
        placed.append(((key, 0), _sealed(requests, row, row["salt"])))
    for number, table in enumerate((employee_inputs, features, prediction_results), start=1):
        for row in inputs.values() if number == 1 else _read(connection, table, "id", inputs):
            owner = inputs[row["id"]]
            place = owner["request_id"], number, owner["position"], owner["id"]
            placed.append((place, _sealed(table, row, owner["salt"])))
    for row in _read(connection, api_responses, "request_id", calls):
        placed.append(((row["request_id"], 4), _sealed(api_responses, row, row["salt"])))
    for row in _read(connection, reviews, "request_id", calls):
        placed.append(((row["request_id"], 5), _sealed(reviews, row, row["salt"])))
    for row in _read(connection, outcomes, "request_id", calls):
        placed.append(((row["request_id"], 6, row["id"]), _sealed(outcomes, row, row["salt"])))
    rows: dict[uuid.UUID, list[Sealed]] = {batch: [] for batch in batches}
    for (request, *_), sealed in sorted(placed, key=itemgetter(0)):
        rows[calls[request]["batch_id"]].append(sealed)
    return rows


def _read(
    connection: Connection, table: Table, column: str, keys: Iterable[uuid.UUID]
) -> list[dict[str, Any]]:
    """Return the rows with one of some keys, in order, with documents as the text that was stored."""
    columns = [cast(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in table.columns]
    wanted, rows = list(keys), []
    for start in range(0, len(wanted), KEYS):
        query = select(*columns).where(table.c[column].in_(wanted[start : start + KEYS]))
        rows += [dict(row) for row in connection.execute(query).mappings()]
    key = table.primary_key.columns[0].name
    return sorted(rows, key=lambda row: row[key])


def _sealed(table: Table, row: dict[str, Any], salt: str | None) -> Sealed:
    cells = [_cell(value) for name, value in row.items() if name not in ("salt", "batch_id")]
    key = row[table.primary_key.columns.keys()[0]]
    return Sealed(table.name, key, None if salt is None else leaf(table.name, salt, cells))


def _cell(value: object) -> object:
    """Return a value as an entry has it."""
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime):
        return moment(value)
    return value.isoformat() if isinstance(value, date) else value
