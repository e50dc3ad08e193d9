"""Sealed rows: the rows of some batches, read back in the plain form in which they were digested."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Connection, Table, Text, cast, select

from churn.database.tables import api_responses, employee_inputs, features, prediction_results, requests
from churn.journal.entry import moment
from churn.journal.hash_chain import leaf

KEYS = 10_000  # in one query


@dataclass(frozen=True, slots=True)
class Sealed:
    """One row: its place, and its leaf, which is None where the salt, or the row with the salt, is gone."""

    table: str
    id: uuid.UUID
    leaf: bytes | None


@dataclass(slots=True)
class _Group:
    """The rows of one request, by table."""

    request: Sealed
    inputs: list[Sealed] = field(default_factory=list)
    features: list[Sealed] = field(default_factory=list)
    results: list[Sealed] = field(default_factory=list)
    responses: list[Sealed] = field(default_factory=list)

    def rows(self) -> list[Sealed]:
        """Return the rows in the order in which they were sealed."""
        return [self.request, *self.inputs, *self.features, *self.results, *self.responses]


def rows_of(connection: Connection, batches: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Sealed]]:
    """Return the rows of some batches, in the order in which they were sealed."""
    rows: dict[uuid.UUID, list[Sealed]] = {batch: [] for batch in batches}
    groups: dict[uuid.UUID, _Group] = {}
    owners: dict[uuid.UUID, uuid.UUID] = {}
    for row in _read(connection, requests, "batch_id", batches):
        groups[row["id"]] = _Group(_sealed(requests, row, row["salt"]))
        owners[row["id"]] = row["batch_id"]
    for row in _read(connection, api_responses, "request_id", groups):
        groups[row["request_id"]].responses.append(_sealed(api_responses, row, row["salt"]))
    _add_predictions(connection, groups)
    for key, group in groups.items():
        rows[owners[key]] += group.rows()
    return rows


def _add_predictions(connection: Connection, groups: dict[uuid.UUID, _Group]) -> None:
    owners: dict[uuid.UUID, tuple[_Group, str | None]] = {}
    inputs = _read(connection, employee_inputs, "request_id", groups)
    for row in sorted(inputs, key=lambda row: (row["request_id"], row["position"], row["id"])):
        group = groups[row["request_id"]]
        group.inputs.append(_sealed(employee_inputs, row, row["salt"]))
        owners[row["id"]] = group, row["salt"]
    for table, name in ((features, "features"), (prediction_results, "results")):
        rows = {row["id"]: row for row in _read(connection, table, "id", owners)}
        for key, (group, salt) in owners.items():
            if key in rows:
                getattr(group, name).append(_sealed(table, rows[key], salt))


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
    return moment(value) if isinstance(value, datetime) else value
