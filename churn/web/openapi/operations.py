"""The operations: what each route is for, what it takes and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport
from churn.schemas.employee import Employee, WhatIfQuestion
from churn.schemas.history_query import HistoryQuery
from churn.schemas.job_answer import DownloadQuery, FileQuery, JobAnswer
from churn.schemas.logged_prediction import HistoryPage, OnePrediction
from churn.schemas.outcome import OutcomesInput, StoredOutcomes
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import OversightReport
from churn.schemas.performance_query import PerformanceQuery
from churn.schemas.performance_report import PerformanceReport
from churn.schemas.responses import Prediction, WhatIfAnswer
from churn.schemas.review import AddedReview, ReviewInput
from churn.schemas.service_answers import Health, ModelCard, Readiness
from churn.web.parsing import MAX_ROWS
from churn.web.routes import Route

# Any call may be malformed, fail, or take too long.
_ALWAYS = (400, 405, 408, 431, 500, 504)
_CLOSED = (401, 403, 429, 503)
_BODY = (413, 415, 422)
_WORKBOOK_AND_PARQUET = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: its answer is a model, a list of models, or text of some media type.

    `asks` is the model of its body, unless that is a form with `files`; `also` are media types that it may
    answer instead, `status` is that of a success, `query` that of its parameters, and `refusals` are its own
    statuses. The table of routes says who may call it, and how.
    """

    tag: str
    summary: str
    description: str
    answer: type[BaseModel] | str
    asks: type[BaseModel] | None = None
    most: int | None = None  # where it takes and answers lists: their longest length
    query: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()
    files: bool = False
    also: tuple[str, ...] = ()
    status: int = 200


OPERATIONS: Mapping[str, Operation] = {
    "/predict": Operation(
        "predictions",
        "Predict one employee's risk",
        "The risk that one employee leaves, with its exact reasons. Fields may be named by their aliases; an "
        "optional field that is absent or null is unknown, never zero.",
        Prediction,
        asks=Employee,
    ),
    "/predict_batch": Operation(
        "predictions",
        "Predict many employees' risks",
        "The risks of a list of employees, in order. One invalid employee refuses them all, with the row of "
        "each error.",
        Prediction,
        asks=Employee,
        most=MAX_ROWS,
    ),
    "/what_if": Operation(
        "predictions",
        "See what changes would do",
        "One employee's risk before and after some changes, the exact difference by field, and the smallest "
        "single changes that would take the risk below the threshold.",
        WhatIfAnswer,
        asks=WhatIfQuestion,
    ),
    "/predict_file": Operation(
        "jobs",
        "Predict the risks of a file",
        "A CSV, Excel (.xlsx), OpenDocument (.ods) or Parquet file of employees, or all the files of the "
        "dictionary, scored as a job. Bad rows are left out and listed. What is answered is the job, and "
        "where to ask for it. With `check=true` the file is only checked.",
        JobAnswer,
        query=FileQuery,
        refusals=(413, 415, 422),
        files=True,
        status=202,
    ),
    "/jobs/{id}": Operation(
        "jobs",
        "See how a job is",
        "Its state, how far it is, and what is wrong in the file. Only who sent the file may ask; an hour "
        "after its end it is gone.",
        JobAnswer,
        refusals=(404,),
    ),
    "/jobs/{id}/score": Operation(
        "jobs",
        "Score a checked file",
        "Scores the rows of a job that was only checked, but for those that are listed as rejected.",
        JobAnswer,
        refusals=(404, 409),
    ),
    "/jobs/{id}/cancel": Operation(
        "jobs",
        "Cancel a job",
        "Ends a job as soon as may be. Predictions that are in the journal by then stay there.",
        JobAnswer,
        refusals=(404,),
    ),
    "/jobs/{id}/result": Operation(
        "jobs",
        "Download the scores",
        "One row an employee: the risk, its reasons, the warnings, the prediction's id.",
        "text/csv",
        query=DownloadQuery,
        refusals=(404, 409, 422),
        also=_WORKBOOK_AND_PARQUET,
    ),
    "/jobs/{id}/rejects": Operation(
        "jobs",
        "Download what was rejected",
        "One row for each cell that was refused, with what was expected there.",
        "text/csv",
        query=DownloadQuery,
        refusals=(404, 409, 422),
        also=_WORKBOOK_AND_PARQUET,
    ),
    "/model": Operation(
        "records",
        "Read the served model's card",
        "Which model serves, how good and how fair it is, and what it must not be taken for. Also of a model "
        "that failed its self-test.",
        ModelCard,
    ),
    "/history": Operation(
        "records",
        "Read recent predictions",
        "Predictions from the journal, newest first, a page at a time.",
        HistoryPage,
        query=HistoryQuery,
        refusals=(422,),
    ),
    "/drift": Operation(
        "records",
        "See what has moved",
        "How the people of recent predictions differ from those the model learned from: tests that know "
        "their number of rows, and the change of the mean log-odds as the sum of the fields' changes. Each "
        "employee counts once, by their last prediction.",
        DriftReport,
        query=DriftQuery,
        refusals=(422,),
    ),
    "/performance": Operation(
        "records",
        "See how good predictions turned out",
        "How a model's predictions compare with what has become of the people since: how many left, whether "
        "it was those foreseen, each figure with its 95% interval, by month and by group. Below 20 leavers "
        "there are no figures, but the reason.",
        PerformanceReport,
        query=PerformanceQuery,
        refusals=(422,),
    ),
    "/oversight": Operation(
        "records",
        "See how people oversee the model",
        "How often people disagree with predictions, by answer, leading reason and group, and who was right "
        "where outcomes are known. It is an alarm that nobody reviews, or that nobody ever disagrees.",
        OversightReport,
        query=OversightQuery,
        refusals=(422,),
    ),
    "/outcomes": Operation(
        "records",
        "Say who has left",
        "Stores what has become of employees about whom predictions were made: the day on which they left, "
        "or that they were still there, and until when that is known. Those that cannot be right are "
        "answered with the reason, the others are stored. Of several outcomes of an employee, the newest "
        "counts. They are erased with the person.",
        StoredOutcomes,
        asks=OutcomesInput,
    ),
    "/predictions/{id}": Operation(
        "records",
        "Read one prediction",
        "One logged prediction with its record, its contributions and its reviews. Without the scope "
        "`history`, only what the caller asked for is found.",
        OnePrediction,
        refusals=(404,),
    ),
    "/predictions/{id}/review": Operation(
        "records",
        "Agree or disagree with a prediction",
        "Adds a review; none replaces another. Without the scope `history`, only what the caller asked for "
        "is found. A comment may be about the employee: it is erased with them.",
        AddedReview,
        asks=ReviewInput,
        refusals=(404,),
    ),
    "/health": Operation("service", "Is it there", "The process answers.", Health),
    "/healthz": Operation("service", "Is it alive", "The same as /livez.", "text/plain"),
    "/livez": Operation(
        "service", "Is it alive", "The process is alive; it need not be ready.", "text/plain"
    ),
    "/readyz": Operation(
        "service",
        "Can it predict",
        "The model passed its self-test and the journal can write.",
        Readiness,
        refusals=(503,),
    ),
    "/metrics": Operation(
        "service",
        "Read the figures",
        "Prometheus' text format. From the same machine, and by no proxy that says so, anyone may ask.",
        "text/plain",
    ),
    "/schema.json": Operation(
        "service",
        "Read BentoML's own description",
        "What BentoML's Python client asks for before it calls.",
        "application/json",
    ),
    "/openapi.json": Operation("service", "Read this document", "This document.", "application/json"),
    "/": Operation("service", "See the landing page", "For people, in French or English.", "text/html"),
    "/docs": Operation(
        "service", "Try this document", "Swagger UI: signs in, calls, shows the answers.", "text/html"
    ),
    "/redoc": Operation("service", "Read this document as a page", "ReDoc: one long page.", "text/html"),
}


def refusals(route: Route) -> list[int]:
    """Return the statuses with which a route may refuse a call."""
    statuses = {*_ALWAYS, *OPERATIONS[route.path].refusals}
    return sorted(statuses.union(() if route.is_open else _CLOSED, _BODY if route.body else ()))
