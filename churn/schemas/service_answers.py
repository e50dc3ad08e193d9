"""What the routes answer beside predictions and their history, as models."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

_REQUEST_ID = Field(
    description="under which the journal and the server's log keep the call; X-Request-ID too"
)


class Health(BaseModel):
    """The process answers."""

    status: Literal["OK"]
    message: str
    version: str = Field(description="of the package that serves")


class Spool(BaseModel):
    """The local log that is waiting for the database."""

    records: int = Field(ge=0, description="calls that wait to be put into the database")
    bytes: int = Field(ge=0, description="what they take")
    max_bytes: int = Field(ge=0, description="what they may take")
    set_aside: int = Field(ge=0, description="records that could not be read, or that the database refused")
    oldest_seconds: int = Field(ge=0, description="how long the oldest of those that wait has waited")


class Readiness(BaseModel):
    """Predictions can be made and journalled, and where the journal goes."""

    status: Literal["ready"]
    database: Literal["ready", "away"] = Field(description="away: the journal goes to the spool")
    waiting: int = Field(ge=0, description="rows that wait for their commit in this worker")
    workers: int | None = Field(None, ge=1, description="processes that serve; CHURN_WORKERS, once all do")
    spool: Spool = Field(default_factory=lambda: Spool(**dict.fromkeys(Spool.model_fields, 0)))


class Bands(BaseModel):
    """The probabilities from which the risk is moderate, and high."""

    moderate: float
    high: float


class SelfTest(BaseModel):
    """Whether the model still answers its golden rows as it did when it was trained."""

    passed: bool
    failures: list[str]
    notes: list[str]


class ModelCard(BaseModel):
    """The served model: what it was trained on, how good and how fair it is, and what it is not for."""

    # Another version's report may have more, or lack what has a default here.
    model_config = ConfigDict(extra="allow")

    n_rows: int = Field(0, description="employees in the training data")
    n_departures: int = Field(0, description="those of them who left")
    fields: list[str] = Field(description="what the model takes")
    left_out: list[str] = Field(description="fields that are accepted and that it does not see")
    candidate: dict[str, Any] = Field({}, description="the settings that it was fitted with")
    metrics: dict[str, Any] = Field(description="cross-validated; each with mean and spread")
    signal: dict[str, Any] | None = Field(
        default=None, description="ROC-AUC with its 95 % interval, and whether all of that is above chance"
    )
    threshold: dict[str, Any] = Field(description="the probability that flags, and the policy behind it")
    folds: int = Field(0, description="of the cross-validation")
    repeats: int = Field(0, description="of the cross-validation")
    seed: int = Field(0, description="of the cross-validation")
    choices: list[dict[str, Any]] = Field([], description="what each threshold policy would cost")
    fairness: list[dict[str, Any]] = Field(description="the audit by protected field")
    challengers: list[dict[str, Any]] = Field([], description="other kinds of model, on the same folds")
    seen: dict[str, Any] = Field(description="the least and the largest training value of each number")
    created_at: str = Field("", description="when it was trained")
    data_fingerprint: str = Field("", description="digest of the training data")
    sample: bool = Field(False, description="whether it was trained on the embedded, synthetic sample")
    library_versions: dict[str, str] = Field(description="with which it was trained")
    dictionary: str = Field("", description="name of the dictionary that says what its records hold")
    journal: dict[str, Any] | None = Field(
        default=None,
        description="where it learned from the journal: the horizon, the share held out, the days",
    )
    tag: str = Field(description="of the model in the store")
    bands: Bands
    base_value: float = Field(description="log-odds of the average employee")
    limits: list[str] = Field(description="sentences, in the language of the request")
    self_test: SelfTest


class Refusal(BaseModel):
    """Why a call was not answered as asked, in the language of the request."""

    detail: str = Field(description="a sentence that says what to do")
    request_id: UUID = _REQUEST_ID


class FieldProblem(BaseModel):
    """One offending field; its value is not repeated."""

    loc: list[str | int] = Field(description="where it is; in a batch, with the row")
    msg: str = Field(description="what was expected, as a sentence")
    type: str = Field(description="the same as a word for programs")


class InvalidInput(BaseModel):
    """What is wrong with the input, one entry a field."""

    detail: list[FieldProblem]
    request_id: UUID = _REQUEST_ID
