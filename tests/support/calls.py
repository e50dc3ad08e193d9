"""Calls for tests of the journal."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from churn.core.ids import new_id
from churn.database.tables import JOURNAL
from churn.journal.call import Call
from churn.schemas.caller import Caller
from churn.schemas.prediction import Scored

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def scored(employee_id: int | str | None = None) -> Scored:
    return Scored(
        id=new_id(),
        record={"employee_id": employee_id, "poste": "Tech Lead", "age": 40},
        values={"poste": "Tech Lead"},
        base_value=-1.5,
        contributions={"poste": 0.25},
        model="churn:abc",
        prediction=1,
        probability=0.2227,
        threshold=0.2,
    )


def make_call(*predictions: Scored, status: int = 200, route: str = "/predict") -> Call:
    return Call(
        id=new_id(),
        received_at=NOON,
        method="POST",
        route=route,
        caller=Caller("token", uuid.UUID(int=7), "ci"),
        answered_at=NOON + timedelta(milliseconds=5),
        status=status,
        duration_ms=5.0,
        body='{"probability":0.2227,"message":"Employé stable"}'.encode(),
        scored=predictions,
        model="churn:abc",
    )


def count(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in JOURNAL
        }
