"""The usual design, as the baseline of the speed benchmark: what most such services do for one request.

bentoml serve benchmarks.usual_design:Usual

A pydantic model, a DataFrame of one row through the fitted scikit-learn pipeline, a token that is looked
up in the database, and a commit for each table that logs the call; synchronous, with one session a
request, on an engine as durable as ours. It gives no reasons. Settings: DATABASE_URL, CHURN_MODEL,
API_TOKEN.
"""

import hashlib
import os
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import bentoml
from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    insert,
    select,
)
from sqlalchemy.orm import Session, sessionmaker

from churn import registry
from churn.pipeline import frame
from churn.schemas import Employee
from churn.storage.engine import make_engine

metadata = MetaData()
tokens = Table(
    "usual_tokens", metadata, Column("id", Uuid, primary_key=True), Column("digest", String(64), unique=True)
)
requests = Table(
    "usual_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True)),
    Column("route", String(64)),
    Column("token_id", ForeignKey(tokens.c.id)),
)
inputs = Table(
    "usual_inputs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", ForeignKey(requests.c.id), index=True),
    Column("record", JSON),
)
features = Table(
    "usual_features",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("input_id", ForeignKey(inputs.c.id), index=True),
    Column("values", JSON),
)
results = Table(
    "usual_results",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("input_id", ForeignKey(inputs.c.id), index=True),
    Column("model", String(128)),
    Column("prediction", Integer),
    Column("probability", Float),
)
responses = Table(
    "usual_responses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", ForeignKey(requests.c.id), index=True),
    Column("answered_at", DateTime(timezone=True)),
    Column("duration_ms", Float),
    Column("body", JSON),
)


@bentoml.service(name="usual", traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Usual:
    """One employee, one prediction, five commits."""

    def __init__(self) -> None:
        model = registry.load(os.environ.get("CHURN_MODEL", ""))
        self._tag, self._fields, self._threshold = model.tag, model.fields, model.threshold
        self._pipeline: Any = bentoml.sklearn.load_model(model.tag)
        engine = make_engine(os.environ["DATABASE_URL"])
        metadata.create_all(engine)
        self._session = sessionmaker(engine)
        with self._session.begin() as session:
            digest = _digest(os.environ["API_TOKEN"])
            if session.scalar(select(tokens.c.id).where(tokens.c.digest == digest)) is None:
                session.execute(insert(tokens), {"id": uuid.uuid4(), "digest": digest})

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, employee: Employee, /, ctx: bentoml.Context) -> dict[str, Any]:
        """Return the risk that one employee leaves."""
        started = time.perf_counter()
        request_id, input_id = uuid.uuid4(), uuid.uuid4()
        request = {"id": request_id, "received_at": datetime.now(UTC), "route": "/predict"}
        with self._session() as session:
            token_id = self._authenticated(session, ctx.request.headers.get("authorization", ""))
            _save(session, requests, {**request, "token_id": token_id})
            record = employee.model_dump()
            _save(session, inputs, {"id": input_id, "request_id": request_id, "record": record})
            table = frame([record], self._fields)
            row = {name: record[name] for name in table.columns}
            _save(session, features, {"id": uuid.uuid4(), "input_id": input_id, "values": row})
            probability = float(self._pipeline.predict_proba(table)[0, 1])
            prediction = int(probability >= self._threshold)
            result = {"id": uuid.uuid4(), "input_id": input_id, "model": self._tag}
            _save(session, results, {**result, "prediction": prediction, "probability": probability})
            answer = {
                "prediction": prediction,
                "probability": probability,
                "message": "Risque de départ élevé" if prediction else "Employé stable",
                "prediction_id": str(result["id"]),
                "model": self._tag,
            }
            response = {"id": uuid.uuid4(), "request_id": request_id, "answered_at": datetime.now(UTC)}
            duration = (time.perf_counter() - started) * 1000
            _save(session, responses, {**response, "duration_ms": duration, "body": answer})
        return answer

    def _authenticated(self, session: Session, authorization: str) -> uuid.UUID:
        digest = _digest(authorization.removeprefix("Bearer "))
        found: uuid.UUID | None = session.scalar(select(tokens.c.id).where(tokens.c.digest == digest))
        if found is None:
            raise bentoml.exceptions.BentoMLException("unauthorized", error_code=HTTPStatus.UNAUTHORIZED)
        return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _save(session: Session, table: Table, row: dict[str, Any]) -> None:
    session.execute(insert(table), row)
    session.commit()
