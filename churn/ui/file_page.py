"""The pages of a file: send it, see what was understood, have it scored, and read the results."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from churn.core.errors import (
    ConflictError,
    InvalidInputError,
    PayloadTooLargeError,
    TooManyRequestsError,
    UnsupportedMediaError,
)
from churn.core.language import LANGUAGES, NO_BREAK_SPACE, Language
from churn.dictionary.dictionary import Dictionary
from churn.i18n import job_sentences, refusal_sentences
from churn.i18n.numbers import number
from churn.jobs.job import Decimal, Job
from churn.jobs.result_rows import Sort, distribution, rows
from churn.ui.drawings import columns
from churn.web.csrf import FIELD, is_token
from churn.web.endpoints.forms import STALE, read_form
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.jobs import JobEndpoints
from churn.web.middleware.error_responses import detail_of
from churn.web.request_state import state_of

PATH = "/app/file"
SORTS: tuple[Sort, ...] = get_args(Sort)


class FilePage:
    """Shows and steers the reader's jobs, by the same endpoints as the API."""

    def __init__(self, renderer: PageRenderer, endpoints: JobEndpoints, dictionary: Dictionary) -> None:
        self._renderer, self._endpoints, self._dictionary = renderer, endpoints, dictionary
        self._jobs, self._run = endpoints.jobs, endpoints.run

    @property
    def routes(self) -> list[Route]:
        """The routes of the pages."""
        one, download = f"{PATH}/{{id}}", self._endpoints.download
        return [
            Route(PATH, self.start, methods=["GET"]),
            Route(PATH, self.send, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.change, methods=["POST"]),
            Route(f"{one}/result", partial(download, part="scores"), methods=["GET"]),
            Route(f"{one}/rejects", partial(download, part="rejects"), methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Answer the form for a file, and the reader's files that are still there."""
        return await self._start(request)

    async def send(self, request: Request) -> Response:
        """Take a file in and have it checked; or answer the form with what is wrong."""
        state = state_of(request.scope)
        # In the address: the form's body is the file, and is read as it comes.
        token = request.query_params.get(FIELD, "")
        if state.session is None or not is_token(token, state.session.secret):
            return await self._start(request, STALE[state.language == "en"], 403)
        asked = request.query_params.get("decimal")
        decimal = next((one for one in get_args(Decimal) if one == asked), None)
        try:
            job = await self._endpoints.take(request, state.language, only_check=True, decimal=decimal)
        except TooManyRequestsError as error:
            return await self._start(request, job_sentences.too_many(state.language), error.status)
        except InvalidInputError as error:
            [text, *_] = [refusal_sentences.field_error(one, state.language) for one in error.errors]
            return await self._start(request, text, error.status)
        except (PayloadTooLargeError, UnsupportedMediaError) as error:
            return await self._start(request, str(detail_of(error, state.language)), error.status)
        return RedirectResponse(f"file/{job.id}", 303)

    async def show(self, request: Request) -> Response:
        """Answer how a file's job is, or the results of one that is done."""
        return await self._show(request, await self._find(request))

    async def change(self, request: Request) -> Response:
        """Have a checked file scored, or cancel its job."""
        form, state = await read_form(request), state_of(request.scope)
        job = await self._find(request)
        if not form.is_ours:
            return await self._show(request, job, STALE[state.language == "en"], 403)
        act = self._jobs().score if form.fields.get("action") == "score" else self._jobs().cancel
        try:
            await self._run(act, state.caller, job.id)
        except ConflictError as error:
            return await self._show(request, job, str(detail_of(error, state.language)), error.status)
        return RedirectResponse(str(job.id), 303)

    async def _find(self, request: Request) -> Job:
        job = uuid.UUID(request.path_params["id"])
        return await self._run(self._jobs().find, state_of(request.scope).caller, job)

    async def _start(self, request: Request, error: str = "", status: int = 200) -> Response:
        own = await self._run(self._jobs().own, state_of(request.scope).caller)
        extracts = [extract.file for extract in self._dictionary.extracts]
        return self._renderer.render(
            request,
            "file.html.j2",
            status=status,
            error=error,
            jobs=own,
            extracts=extracts,
            count=_count(state_of(request.scope).language),
        )

    async def _show(self, request: Request, job: Job, error: str = "", status: int = 200) -> Response:
        language = state_of(request.scope).language
        values: dict[str, object] = {}
        if job.state == "done":
            values = await self._run(self._results, request, job)
        return self._renderer.render(
            request,
            "job.html.j2",
            status=status,
            job=job,
            error=error,
            place=LANGUAGES.index(language),
            labels={field.name: field.label(language) for field in self._dictionary.fields},
            count=_count(language),
            failure=job.failure and job_sentences.failure(job.failure, language),
            **values,
        )

    def _results(self, request: Request, job: Job) -> dict[str, object]:
        """Return a page of the results, by what the address asks for."""
        asked = request.query_params
        sort: Sort = next((one for one in SORTS if one == asked.get("sort")), "probability")
        chosen: dict[str, str] = {
            "sort": sort,
            "order": "up" if asked.get("order") == "up" else "down",
            "only": "flagged" if asked.get("only") == "flagged" else "",
            "search": asked.get("search", "")[:64].strip(),
        }
        number = asked.get("page", "1")
        folder = self._jobs().folder.results(job.id)
        found = rows(
            folder,
            sort,
            descending=chosen["order"] == "down",
            above_threshold=bool(chosen["only"]),
            search=chosen["search"],
            page=int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
        )
        counts, threshold = distribution(folder)

        def link(**changes: str) -> str:
            return "?" + urlencode({name: text for name, text in {**chosen, **changes}.items() if text})

        return {
            "found": found,
            "chosen": chosen,
            "link": link,
            "histogram": columns(counts),
            "counts": counts,
            "threshold": threshold,
        }


def _count(language: Language) -> Callable[[int], str]:
    """Return what writes whole numbers as a language does."""
    return partial(number, language=language, space=NO_BREAK_SPACE)
