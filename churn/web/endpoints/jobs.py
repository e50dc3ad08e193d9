"""POST /predict_file and /jobs/…: files of employees, scored as jobs."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from churn.core.language import LANGUAGES, Language
from churn.i18n import job_sentences, reading_sentences
from churn.jobs.job import Decimal, Job
from churn.jobs.job_folder import KEPT
from churn.jobs.jobs import Jobs
from churn.jobs.result_csv import Part, csv_parts
from churn.schemas.job_answer import (
    ColumnReading,
    DownloadQuery,
    FileQuery,
    JobAddresses,
    JobAnswer,
    JobProblem,
    ReadingAnswer,
)
from churn.web.endpoints import upload_reader
from churn.web.endpoints.query import read_query
from churn.web.request_state import state_of

THREADS = 4  # that read and write jobs' files at once
PART = 256 * 1024  # bytes of a file that are sent at a time
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
_NAMES: dict[Part, dict[Language, str]] = {
    "scores": {"fr": "scores", "en": "scores"},
    "rejects": {"fr": "rejets", "en": "rejects"},
}

T = TypeVar("T")


class JobEndpoints:
    """Answers about jobs; `jobs` may be called once the service has started."""

    def __init__(self, jobs: Callable[[], Jobs]) -> None:
        self.jobs = jobs
        self._threads = anyio.CapacityLimiter(THREADS)

    @property
    def routes(self) -> list[Route]:
        """The routes of the API."""
        return [
            Route("/predict_file", self.upload, methods=["POST"]),
            Route("/jobs/{id}", self.show, methods=["GET"]),
            Route("/jobs/{id}/score", self.score, methods=["POST"]),
            Route("/jobs/{id}/cancel", self.cancel, methods=["POST"]),
            Route("/jobs/{id}/result", partial(self.download, part="scores"), methods=["GET"]),
            Route("/jobs/{id}/rejects", partial(self.download, part="rejects"), methods=["GET"]),
        ]

    async def upload(self, request: Request) -> Response:
        """Take files in, and answer the job that they became."""
        state = state_of(request.scope)
        query = read_query(FileQuery, request.query_params)
        language = query.lang or state.language
        job = await self.take(request, language, only_check=query.check, decimal=query.decimal)
        answer = _answer(job, state.language, status=202)
        answer.headers["Location"] = f"/jobs/{job.id}"
        return answer

    async def take(
        self, request: Request, language: Language, *, only_check: bool, decimal: Decimal | None
    ) -> Job:
        """Return the job that a request's files become; what goes wrong on the way leaves nothing.

        Raises:
            RefusalError: the files, or one more job of the caller's, are not taken.
        """
        state = state_of(request.scope)
        begin = partial(self.jobs().begin, only_check=only_check, decimal=decimal)
        coming = await self.run(begin, state.caller, language)
        try:
            await upload_reader.read(request.scope["headers"], state, request.receive, coming.upload)
            return await self.run(coming.submit)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.run(coming.abandon)
            raise

    async def show(self, request: Request) -> Response:
        """Answer how a job is."""
        return await self._do(request, self.jobs().find)

    async def score(self, request: Request) -> Response:
        """Have a checked job scored."""
        return await self._do(request, self.jobs().score)

    async def cancel(self, request: Request) -> Response:
        """Cancel a job."""
        return await self._do(request, self.jobs().cancel)

    async def download(self, request: Request, part: Part) -> Response:
        """Send a job's scores or rejects as a file."""
        state = state_of(request.scope)
        query = read_query(DownloadQuery, request.query_params)
        language = query.lang or state.language
        job = uuid.UUID(request.path_params["id"])
        folder = await self.run(self.jobs().results, state.caller, job)
        name = f"{_NAMES[part][language]}-{job.hex[-8:]}.{query.format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if query.format == "csv":
            content: Iterator[bytes] = csv_parts(folder, part, language)
        else:
            path = folder / f"{part}.{query.format}"
            headers["Content-Length"] = str(path.stat().st_size)
            content = _file_parts(path)
        return StreamingResponse(content, headers=headers, media_type=_MEDIA[query.format])

    async def _do(self, request: Request, act: Callable[..., Job]) -> Response:
        state = state_of(request.scope)
        job = await self.run(act, state.caller, uuid.UUID(request.path_params["id"]))
        return _answer(job, state.language)

    async def run(self, work: Callable[..., T], *arguments: object) -> T:
        """Do what reads and writes files in a thread."""
        return await anyio.to_thread.run_sync(partial(work, *arguments), limiter=self._threads)


def _file_parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(PART):
            yield part


def _answer(job: Job, language: Language, status: int = 200) -> Response:
    address, place = f"/jobs/{job.id}", LANGUAGES.index(language)
    answer: BaseModel = JobAnswer(
        id=job.id,
        state=job.state,
        progress=job.progress,
        created_at=job.created_at,
        expires_at=job.changed_at + timedelta(seconds=KEPT),
        model=job.model,
        rows=job.rows,
        scored=job.scored,
        rejected=job.rejected,
        flagged=job.flagged,
        readings=[
            ReadingAnswer(
                file=one.file,
                format=one.format,
                delimiter=one.delimiter,
                encoding=one.encoding and reading_sentences.encoding_name(one.encoding),
                decimal_comma=one.decimal_comma,
                sheet=one.sheet,
                sheet_name=one.sheet_name,
                rows=one.rows,
                blanks=one.blanks,
                columns=[ColumnReading(column=column, field=field) for column, field in one.columns],
            )
            for one in job.readings
        ],
        notices=[notice[place] for notice in job.notices],
        problems=[
            JobProblem(file=one.file, line=one.line, column=one.column, expected=one.expected[place])
            for one in job.problems
        ],
        problem_count=job.problem_count,
        warnings=[warning[place] for warning in job.warnings],
        error=job.failure and job_sentences.failure(job.failure, language),
        addresses=JobAddresses(
            self=address,
            cancel=f"{address}/cancel",
            score=f"{address}/score",
            result=f"{address}/result",
            rejects=f"{address}/rejects",
        ),
    )
    return Response(answer.model_dump_json(), status, media_type="application/json")
