"""The prediction routes: read the body once, and refuse a bad one before anything is computed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import anyio
import anyio.to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.core.language import Language
from churn.core.memory_file import MemoryFile
from churn.schemas.prediction import Scored
from churn.web.endpoints.body_reader import Body, BodyReader
from churn.web.parsing import Parser
from churn.web.request_state import STATE, Batch, RequestState
from churn.web.routes import JsonBody


class Answer(NamedTuple):
    """An endpoint's answer: the body, as JSON, and its predictions, for the journal."""

    body: bytes
    scored: Sequence[Scored]


Endpoint = Callable[[Any, Language], Awaitable[Answer]]


class Batches(Protocol):
    """Answers large batches outside of the worker, whose event loop is for the other calls."""

    async def answer(self, file: MemoryFile, language: Language) -> Batch:
        """Replace the list of employees in a file by its answer, and return the batch, which journals it."""


class PredictionRoutes:
    """Reads the body of a prediction route with `parser`, and has its endpoint or `batches` answer.

    `endpoints` are the service's, by path. A `RefusalError` is for the middleware around this one to answer.
    BentoML's own path to an endpoint takes as long as all of ours, and would parse and validate once more. So
    the endpoints are called here, with the language, and return their predictions too.
    """

    def __init__(
        self, app: ASGIApp, parser: Parser, endpoints: Mapping[str, Endpoint], batches: Batches
    ) -> None:
        self._app = app
        self._parser = parser
        self._endpoints = endpoints
        self._batches = batches
        self._reader = BodyReader()
        # One large body at a time: once parsed, it takes ten times its bytes.
        self._large = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a prediction, and pass others on."""
        state: RequestState | None = scope["state"][STATE] if scope["type"] == "http" else None
        format_ = None if state is None else state.route.body
        if state is None or not isinstance(format_, JsonBody) or scope["method"] not in state.route.methods:
            await self._app(scope, receive, send)
            return
        body = await self._reader.read(scope["headers"], state, receive, format_.max_bytes)
        answer: bytes | memoryview
        if body.file is None:
            employees = format_.read(self._parser, body.read())
            answer, state.scored = await self._endpoints[state.route.path](employees, state.language)
        elif format_.offloaded:
            answer = await self._answer_batch(state, body, body.file)
        else:
            answer, state.scored = await self._answer_large(state, format_, body)
        headers = [(b"content-length", b"%d" % len(answer)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer_batch(self, state: RequestState, body: Body, file: MemoryFile) -> memoryview:
        """Answer a large batch in another process, and note in the state that it journals the batch."""
        try:
            state.batch = await self._batches.answer(file, state.language)
            return file.view()
        finally:
            self._reader.let_go(state.caller, body)

    async def _answer_large(self, state: RequestState, format_: JsonBody, body: Body) -> Answer:
        """Answer any other large body when its turn comes.

        The work goes on when its caller has gone: a thread cannot be cancelled, and its memory counts until
        it ends.
        """
        endpoint, turn = self._endpoints[state.route.path], object()
        try:
            await self._large.acquire_on_behalf_of(turn)
        except BaseException:
            self._reader.let_go(state.caller, body)
            raise

        async def work() -> Answer:
            try:
                employees = await anyio.to_thread.run_sync(lambda: format_.read(self._parser, body.read()))
                return await endpoint(employees, state.language)
            finally:
                self._large.release_on_behalf_of(turn)
                self._reader.let_go(state.caller, body)

        return await asyncio.shield(asyncio.create_task(work()))
