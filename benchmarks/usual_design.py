"""The usual design, as the baseline of the speed benchmark: what most such services do for one request.

bentoml serve benchmarks.usual_design:Usual

Mapped classes with keys that the database makes, and one session a request; each table's row is added,
committed and refreshed by itself, since its key goes into the next. A DataFrame of one row goes through
the fitted scikit-learn pipeline. A token is looked up in the database. The engine is as durable as ours,
and there are no reasons. Settings: DATABASE_URL, CHURN_MODEL, API_TOKEN.
"""

import hashlib
import os
import time
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import bentoml
from sqlalchemy import JSON, ForeignKey, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from churn.database.engine import make_engine
from churn.dictionary.technova import TECHNOVA
from churn.model import registry
from churn.model.pipeline import frame
from churn.schemas.employee import request_models

if TYPE_CHECKING:
    from churn.schemas.employee import Employee
else:
    Employee = request_models(TECHNOVA).employee


class Base(DeclarativeBase):
    """What the tables have in common."""

    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012 - as SQLAlchemy reads it
    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=datetime.now)


class Token(Base):
    """Who may call."""

    __tablename__ = "usual_tokens"
    digest: Mapped[str] = mapped_column(String(64), unique=True)


class ApiRequest(Base):
    """One call."""

    __tablename__ = "usual_requests"
    route: Mapped[str]
    token_id: Mapped[int] = mapped_column(ForeignKey("usual_tokens.id"), index=True)


class EmployeeInput(Base):
    """What came in."""

    __tablename__ = "usual_inputs"
    request_id: Mapped[int] = mapped_column(ForeignKey("usual_requests.id"), index=True)
    record: Mapped[dict[str, Any]]


class FeatureVector(Base):
    """What the model saw."""

    __tablename__ = "usual_features"
    input_id: Mapped[int] = mapped_column(ForeignKey("usual_inputs.id"), index=True)
    values: Mapped[dict[str, Any]]


class PredictionResult(Base):
    """What the model said."""

    __tablename__ = "usual_results"
    input_id: Mapped[int] = mapped_column(ForeignKey("usual_inputs.id"), index=True)
    model: Mapped[str]
    prediction: Mapped[int]
    probability: Mapped[float]


class ApiResponse(Base):
    """What went out."""

    __tablename__ = "usual_responses"
    request_id: Mapped[int] = mapped_column(ForeignKey("usual_requests.id"), index=True)
    duration_ms: Mapped[float]
    body: Mapped[dict[str, Any]]


Row = TypeVar("Row", bound=Base)


@bentoml.service(name="usual", traffic={"timeout": 60})
class Usual:
    """One employee, one prediction, five commits."""

    def __init__(self) -> None:
        model = registry.load(os.environ.get("CHURN_MODEL", ""), TECHNOVA)
        self._tag, self._fields, self._threshold = model.tag, model.fields, model.threshold
        self._pipeline: Any = bentoml.sklearn.load_model(model.tag)
        engine = make_engine(os.environ["DATABASE_URL"])
        Base.metadata.create_all(engine)
        self._session = sessionmaker(engine)
        with self._session.begin() as session:
            digest = _digest(os.environ["API_TOKEN"])
            if session.scalar(select(Token).where(Token.digest == digest)) is None:
                session.add(Token(digest=digest))

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, employee: Employee, /, ctx: bentoml.Context) -> dict[str, Any]:
        """Return the risk that one employee leaves."""
        started = time.perf_counter()
        with self._session() as session:
            token = _authenticated(session, ctx.request.headers.get("authorization", ""))
            request = _saved(session, ApiRequest(route="/predict", token_id=token.id))
            record = employee.model_dump()
            given = _saved(session, EmployeeInput(request_id=request.id, record=record))
            table = frame([record], self._fields)
            row = {name: record[name] for name in table.columns}
            _saved(session, FeatureVector(input_id=given.id, values=row))
            result = self._scored(session, table, given.id)
            answer = {
                "prediction": result.prediction,
                "probability": result.probability,
                "message": "Risque de départ élevé" if result.prediction else "Employé stable",
                "prediction_id": result.id,
                "model": result.model,
            }
            duration = (time.perf_counter() - started) * 1000
            _saved(session, ApiResponse(request_id=request.id, duration_ms=duration, body=answer))
        return answer

    def _scored(self, session: Session, table: Any, input_id: int) -> PredictionResult:
        probability = float(self._pipeline.predict_proba(table)[0, 1])
        prediction = int(probability >= self._threshold)
        result = PredictionResult(
            input_id=input_id, model=self._tag, prediction=prediction, probability=probability
        )
        return _saved(session, result)


def _authenticated(session: Session, authorization: str) -> Token:
    digest = _digest(authorization.removeprefix("Bearer "))
    found = session.scalar(select(Token).where(Token.digest == digest))
    if found is None:
        raise bentoml.exceptions.BentoMLException("unauthorized", error_code=HTTPStatus.UNAUTHORIZED)
    return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _saved(session: Session, row: Row) -> Row:
    session.add(row)
    session.commit()
    session.refresh(row)
    return row
