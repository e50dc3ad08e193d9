"""The log of every call to a prediction route: one exchange, one transaction."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import anyio.to_thread
from sqlalchemy import Engine, Table, insert

from churn.storage.ids import new_id
from churn.storage.schema import explained
from churn.storage.tables import (
    JOURNAL,
    api_responses,
    employee_inputs,
    features,
    prediction_results,
    requests,
)

CallerKind = Literal["user", "token", "operator", "anonymous"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called: a user, a token, an operator at the command line, or nobody that is known."""

    kind: CallerKind = "anonymous"
    id: uuid.UUID | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One prediction as it is logged: what came in, what the model saw, what it said.

    `values` and `contributions` (log-odds) are by canonical field name; `id` is the prediction's.
    """

    id: uuid.UUID
    record: Mapping[str, object]
    values: Mapping[str, object]
    base_value: float
    contributions: Mapping[str, float]
    model: str
    prediction: int
    probability: float
    threshold: float


@dataclass(slots=True)
class Exchange:
    """One call and its answer, complete when it is recorded.

    A refused call has no `scored`, and its `body` holds field names but none of their values.
    """

    id: uuid.UUID
    received_at: datetime
    method: str
    route: str
    caller: Caller
    answered_at: datetime
    status: int
    duration_ms: float
    body: object
    scored: Sequence[Scored] = field(default_factory=tuple)


class Journal:
    """Writes exchanges to the database, each in one transaction.

    `record` returns when the rows are committed: an answer sent after it is in the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def record(self, exchange: Exchange) -> None:
        """Log one exchange, off the event loop; durable on return.

        Raises:
            DatabaseError: it could not be committed; nothing of it is stored.
        """
        await anyio.to_thread.run_sync(self.write, exchange)

    def check(self) -> None:
        """Make sure that a row could be written now, without leaving one; waits, as `write`.

        Raises:
            DatabaseError: it could not.
        """
        row = {"id": new_id(), "received_at": datetime.now(UTC), "method": "", "route": "", "caller_kind": ""}
        with explained(self._engine), self._engine.connect() as connection, connection.begin() as transaction:
            connection.execute(insert(requests), row)
            transaction.rollback()

    def write(self, exchange: Exchange) -> None:
        """Log one exchange from a thread that may wait; as `record`."""
        rows = rows_of(exchange)
        with explained(self._engine), self._engine.begin() as connection:
            for table in JOURNAL:
                if rows[table]:
                    connection.execute(insert(table), rows[table])


def rows_of(exchange: Exchange) -> dict[Table, list[Row]]:
    """Return the rows of one exchange by table, parents first."""
    inputs = [(new_id(), scored) for scored in exchange.scored]
    return {
        requests: [_request_row(exchange)],
        employee_inputs: [_input_row(i, n, s, exchange.id) for n, (i, s) in enumerate(inputs)],
        features: [_features_row(i, s) for i, s in inputs],
        prediction_results: [_result_row(i, s, exchange.id) for i, s in inputs],
        api_responses: [_response_row(exchange)],
    }


def _request_row(exchange: Exchange) -> Row:
    return {
        "id": exchange.id,
        "received_at": exchange.received_at,
        "method": exchange.method,
        "route": exchange.route,
        "caller_kind": exchange.caller.kind,
        "caller_id": exchange.caller.id,
        "caller_name": exchange.caller.name,
    }


def _input_row(input_id: uuid.UUID, position: int, scored: Scored, request_id: uuid.UUID) -> Row:
    employee_id = scored.record.get("employee_id")
    return {
        "id": input_id,
        "request_id": request_id,
        "position": position,
        "employee_id": None if employee_id is None else str(employee_id),
        "record": dict(scored.record),
    }


def _features_row(input_id: uuid.UUID, scored: Scored) -> Row:
    return {
        "id": new_id(),
        "input_id": input_id,
        "base_value": scored.base_value,
        "values": dict(scored.values),
        "contributions": dict(scored.contributions),
    }


def _result_row(input_id: uuid.UUID, scored: Scored, request_id: uuid.UUID) -> Row:
    return {
        "id": scored.id,
        "request_id": request_id,
        "input_id": input_id,
        "model": scored.model,
        "prediction": scored.prediction,
        "probability": scored.probability,
        "threshold": scored.threshold,
    }


def _response_row(exchange: Exchange) -> Row:
    return {
        "id": new_id(),
        "request_id": exchange.id,
        "answered_at": exchange.answered_at,
        "status": exchange.status,
        "duration_ms": exchange.duration_ms,
        "body": exchange.body,
    }
