"""The journal of revision 0001: its tables, and calls as the service of that time logged them."""

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from churn.database.months import bound

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("id", "request_id", "input_id", "caller_id"), sa.Uuid()),
    **dict.fromkeys(("received_at", "answered_at"), sa.DateTime(timezone=True)),
    **dict.fromkeys(("record", "values", "contributions", "body"), _DOCUMENT),
}


def _table(name: str, columns: str) -> sa.TableClause:
    return sa.table(name, *[sa.column(column, _TYPES.get(column)) for column in columns.split()])


requests = _table("requests", "id received_at method route caller_kind caller_id caller_name")
employee_inputs = _table("employee_inputs", "id request_id position employee_id record")
features = _table("features", "id input_id base_value values contributions")
prediction_results = _table(
    "prediction_results", "id request_id input_id model prediction probability threshold"
)
api_responses = _table("api_responses", "id request_id answered_at status duration_ms body")

NOVEMBER = datetime(2025, 11, 30, 23, 59, 59, 990_000, tzinfo=UTC)


def id_at(moment: datetime) -> uuid.UUID:
    """Return a UUIDv7 made at a moment."""
    rest = random.getrandbits(74)
    return uuid.UUID(int=bound(moment).int | 7 << 76 | (rest >> 62) << 64 | 2 << 62 | rest & (1 << 62) - 1)


@dataclass(frozen=True)
class Call:
    """One call: its request's id, and those of its predictions."""

    id: uuid.UUID
    predictions: tuple[uuid.UUID, ...]


def log(connection: Connection, moment: datetime, employees: int = 1) -> Call:
    """Log one call as the service of that time did: in five tables, in this order."""
    call = Call(id_at(moment), tuple(id_at(moment + timedelta(milliseconds=n)) for n in range(employees)))
    request = {"id": call.id, "received_at": moment, "method": "POST", "route": "/predict"}
    caller = {"caller_kind": "user", "caller_id": uuid.uuid4(), "caller_name": "zoé"}
    connection.execute(insert(requests), request | caller)
    for position, prediction in enumerate(call.predictions):
        key = uuid.uuid4()
        record = {"age": 41, "poste": "Développeuse", "position": position, "score": 0.1}
        row = {"id": key, "request_id": call.id, "position": position, "employee_id": f"E-{position}"}
        connection.execute(insert(employee_inputs), row | {"record": record})
        feature_row = {"id": uuid.uuid4(), "input_id": key, "base_value": -1.5, "values": {**record, "n": 1}}
        connection.execute(insert(features), feature_row | {"contributions": {"age": 1 / 3}})
        verdict = {"model": "churn:a", "prediction": 1, "probability": 1 / 7, "threshold": 0.31}
        same = {"id": prediction, "request_id": call.id, "input_id": key}
        connection.execute(insert(prediction_results), same | verdict)
    answer = {"id": uuid.uuid4(), "request_id": call.id, "answered_at": moment, "status": 200}
    body = {"predictions": [str(prediction) for prediction in call.predictions]}
    connection.execute(insert(api_responses), answer | {"duration_ms": 3.25, "body": body})
    return call


def log_many(engine: Engine, moments: Iterable[datetime]) -> list[Call]:
    """Log a call at each moment, with none, one, two or three employees in turn."""
    with engine.begin() as connection:
        return [log(connection, moment, number % 4) for number, moment in enumerate(moments)]


def contents(engine: Engine) -> dict[str, Any]:
    """Return the journal's rows without the keys that no client knows; inputs have their prediction's."""
    with engine.connect() as connection:
        result = {
            row.input_id: row.id
            for row in connection.execute(select(prediction_results.c.input_id, prediction_results.c.id))
        }

        def rows(table: sa.TableClause, *without: str) -> list[dict[str, Any]]:
            stored = [dict(row) for row in connection.execute(select(table)).mappings()]
            if table in (employee_inputs, features):
                key = "input_id" if "input_id" in table.c else "id"
                stored = [{**row, "prediction": result[row[key]]} for row in stored]
            return _sorted({k: v for k, v in row.items() if k not in without} for row in stored)

        return {
            "requests": rows(requests),
            "employee_inputs": rows(employee_inputs, "id"),
            "features": rows(features, "id", "input_id"),
            "prediction_results": rows(prediction_results, "input_id"),
            "api_responses": rows(api_responses, "id"),
        }


def _sorted(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=repr)
