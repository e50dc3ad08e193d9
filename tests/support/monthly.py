"""Calls at chosen moments in the partitioned journal, and missing partitions."""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, insert, select

from churn.database import partitions, tables
from churn.database.months import Month
from tests.support.journal0001 import id_at

NOW = Month.of(datetime.now(UTC))


def months(engine: Engine) -> list[Month]:
    return list(partitions.listing(engine).months)


def day(month: Month, number: int = 15) -> datetime:
    return datetime(month.year, month.month, number, tzinfo=UTC)


def log(connection: Connection, moment: datetime, predictions: int = 1) -> uuid.UUID:
    """Log a call made at a moment, with its predictions, and return its request's id."""
    request = id_at(moment)
    call = {"id": request, "method": "POST", "route": "/predict", "caller_kind": "anonymous"}
    connection.execute(insert(tables.requests), call | {"received_at": moment})
    for position in range(predictions):
        ids = {"id": id_at(moment), "request_id": request}
        connection.execute(
            insert(tables.employee_inputs), {**ids, "position": position, "record": {"age": 1}}
        )
        connection.execute(insert(tables.features), {"id": ids["id"], "base_value": 0.5})
        connection.execute(insert(tables.prediction_results), {**ids, "model": "churn:a", "threshold": 0.3})
    answer = {"request_id": request, "answered_at": moment, "status": 200, "duration_ms": 1.0}
    connection.execute(insert(tables.api_responses), answer)
    return request


def keys(engine: Engine, table: sa.Table) -> set[uuid.UUID]:
    with engine.connect() as connection:
        stored = connection.execute(select(*table.primary_key.columns)).scalars().all()
    assert len(stored) == len(set(stored))
    return set(stored)


def remove_months(engine: Engine, after: Month) -> None:
    """Leave only the partitions up to a month, as if nobody had made new ones for a long time."""
    with engine.begin() as connection:
        for table in partitions.KEYS:
            for partition in partitions.partitions(connection, table):
                if partition.lower >= after.upper:
                    connection.exec_driver_sql(f"DROP TABLE {partition.name}")
