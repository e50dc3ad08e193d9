"""The BentoML Service: joins settings, scorer, journal, gate and pages; decides nothing.

Nothing is read or opened at import: `bentoml build` imports this file on machines without secrets.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import GenericAlias, MethodType
from typing import cast

import anyio
import anyio.to_thread
import bentoml
import orjson
from sqlalchemy import Engine

from churn import preflight
from churn.access.administration import Administration
from churn.access.authenticator import Authenticator, Rates
from churn.access.hashing import Hashing
from churn.access.identities import environment_callers
from churn.access.token_last_used import TokenLastUsed
from churn.access.verifier import Verifier
from churn.core.errors import ChurnError
from churn.core.language import Language
from churn.core.memory_file import MemoryFile
from churn.core.settings import Settings, is_traced, load, logs_access, server_options
from churn.database.embedded import identity_of
from churn.database.engine import make_engine
from churn.database.maintenance import Maintenance
from churn.dictionary.technova import TECHNOVA
from churn.jobs.job_runner import JobRunner
from churn.jobs.jobs import Jobs
from churn.journal import pseudonyms, spool
from churn.journal.call import Call
from churn.journal.journal import Journal, JournalState
from churn.journal.store import Store
from churn.journal.writer import Writer
from churn.model import registry
from churn.model.card import describe
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from churn.model.what_if import compare
from churn.offload.helper import Helper
from churn.records.audit_log import Event, events
from churn.records.history import History
from churn.schemas.employee import Employee, WhatIfQuestion, request_models
from churn.schemas.responses import Prediction, WhatIfAnswer
from churn.schemas.service import ModelCard
from churn.ui.all_pages import make_ui
from churn.ui.gradio_page import GradioPage
from churn.web.endpoints.api_pages import make_api_pages
from churn.web.endpoints.assets import make_assets
from churn.web.endpoints.history import HistoryReader, make_history
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.jobs import make_jobs
from churn.web.endpoints.landing import make_landing
from churn.web.endpoints.pages import make_pages
from churn.web.endpoints.predictions import Answer, Endpoint, PredictionRoutes
from churn.web.endpoints.reviews import make_reviews
from churn.web.middleware.error_responses import ErrorResponses, Refusals, logger
from churn.web.middleware.gate import Gate
from churn.web.middleware.journalling import Journalling
from churn.web.middleware.metrics import Metrics, make_metrics
from churn.web.middleware.readiness import Readiness
from churn.web.middleware.security_headers import SecurityHeaders
from churn.web.openapi import make_openapi
from churn.web.parsing import Parser
from churn.web.readiness_check import ReadinessCheck
from churn.web.request_state import Batch
from churn.web.server import access_log, bentoml_patches, file_limit
from churn.web.server.bentoml_patches import input_spec, output_spec
from churn.web.server.garbage import collect_seldom
from churn.web.server.worker import tell_ready
from churn.web.tracebacks import log_without_texts


class Worker:
    """What one worker process holds open while it serves; empty until the service starts.

    The middlewares are made before the service is: they are given this object's methods.
    """

    engine: Engine
    job_runner: JobRunner
    _settings: Settings
    _model: ServedModel
    _scorer: Scorer
    _journal: Journal
    _helper: Helper
    _maintenance: Maintenance
    _last_used: TokenLastUsed
    _authenticator: Authenticator

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}

    def open(self) -> None:
        """Read the settings, load the model and connect.

        Raises:
            ChurnError: one of them is not as it should be.
        """
        file_limit.raise_limit()
        settings = self._settings = load()
        self._model = registry.load(settings.model, TECHNOVA)
        self._scorer = Scorer(self._model)
        for sentence in (*self._model.self_test.failures, *self._model.self_test.notes):
            logger.warning("model %s: %s", self._model.tag, sentence)
        self.engine = make_engine(settings.database_url.get_secret_value())
        probe = preflight.DatabaseProbe(self.engine, settings)
        store = Store(Writer(self.engine), probe, spool.configured(settings))
        self._journal = Journal(store, pseudonyms.configured(settings))
        self._journal.start()
        self._helper = Helper(settings, self._model, identity_of(self.engine))
        self.job_runner = JobRunner.started(settings, self._model, identity_of(self.engine))
        self._last_used = TokenLastUsed(self.engine)
        rates = Rates(settings.user_rate, settings.token_rate)
        hashing = Hashing()
        verifier = Verifier(self.engine, environment_callers(settings), hashing.matches)
        self._authenticator = Authenticator(verifier, hashing, self._last_used, self.record, rates)
        self._maintenance = Maintenance(self.engine)
        self._maintenance.start()
        collect_seldom()

    @property
    def has_gradio(self) -> bool:
        """Whether there is a page of Gradio's."""
        return self._settings.ui

    @property
    def scorer(self) -> Scorer:
        """What predicts; raises ModelError where the model failed its self-test."""
        self._model.self_test.require(self._model.tag)
        return self._scorer

    def model(self) -> ServedModel:
        """Return the served model, also one that failed its self-test."""
        return self._model

    def card(self, language: Language) -> ModelCard:
        """Return the model's card, also of a model that failed its self-test."""
        return describe(self._model, language)

    def check(self) -> JournalState:
        """Make sure that predictions can be made and journalled; raises ChurnError where not."""
        self._model.self_test.require(self._model.tag)
        return self._with_batches(self._journal.check())

    def state(self) -> JournalState:
        """Return how the journal is; may read files."""
        return self._with_batches(self._journal.state())

    def _with_batches(self, state: JournalState) -> JournalState:
        return replace(state, waiting=state.waiting + self._helper.waiting)

    def close(self) -> None:
        """Write what waits, and let go of the database."""
        self.job_runner.close()
        self._helper.close()
        self._journal.close()
        self._last_used.close()
        self._maintenance.close()
        self.engine.dispose()

    def authenticator(self) -> Authenticator:
        """Return what finds the callers."""
        return self._authenticator

    def administration(self) -> Administration:
        """Return what changes users, tokens and sessions."""
        return Administration(self.engine)

    def events(self, since: datetime, kinds: Sequence[str]) -> Sequence[Event]:
        """Return the latest events of the audit log; waits for the database."""
        return events(self.engine, since, kinds=kinds)

    def jobs(self) -> Jobs:
        """Return the jobs of files."""
        return self.job_runner.jobs

    def frame_ancestors(self) -> tuple[str, ...]:
        """Return the origins whose pages may show ours in a frame."""
        return self._settings.frame_ancestors

    def history(self) -> History:
        """Return what reads the journal's predictions; it waits for the database."""
        return History(self.engine, self._settings.pseudonym_key.get_secret_value())

    async def record(self, call: Call) -> None:
        """Journal one call; durable on return."""
        call.model = self._model.tag
        await (call.batch or self._journal).record(call)

    async def answer(self, file: MemoryFile, language: Language) -> Batch:
        """Replace a file's list of employees by the answer to it, and return what journals that."""
        self._model.self_test.require(self._model.tag)
        return await self._helper.answer(file, language)


worker = Worker()
models = request_models(TECHNOVA)


@bentoml.service(name="churn", metrics={"enabled": False}, **server_options())
class Churn:
    """Employee-turnover risk with exact reasons; every call authenticated and journalled."""

    def __init__(self) -> None:
        log_without_texts()
        worker.open()
        worker.endpoints.update({api.route: MethodType(api.func, self) for api in service.apis.values()})
        self._one = anyio.CapacityLimiter(1)
        tell_ready()
        if worker.has_gradio:
            gradio.load()

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse to start, in one sentence, where a worker could not serve; then, ours supervises them."""
        try:
            preflight.check_configured(bentoml_patches.configured()["churn"])
            preflight.prepare(load(), TECHNOVA)
        except ChurnError as error:
            raise SystemExit(f"churn: {error}") from None
        bentoml_patches.supervise_by_ours()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Let go of the database."""
        worker.close()

    @bentoml.api(input_spec=input_spec(models.employee), output_spec=output_spec(Prediction))
    async def predict(self, employee: Employee, language: Language) -> Answer:
        """Return the risk that one employee leaves, with its reasons."""
        scorer = worker.scorer
        [prediction] = scored = scorer.score([employee])
        return Answer(orjson.dumps(scorer.document(prediction, language)), scored)

    @bentoml.api(
        input_spec=input_spec(GenericAlias(list, models.employee)), output_spec=output_spec(list[Prediction])
    )
    async def predict_batch(self, employees: list[Employee], language: Language) -> Answer:
        """Return the risk of up to 10,000 employees, in order; one invalid refuses them all."""
        return await self._beside(partial(_predict_batch, employees, language))

    @bentoml.api(input_spec=input_spec(models.question), output_spec=output_spec(WhatIfAnswer))
    async def what_if(self, question: WhatIfQuestion, language: Language) -> Answer:
        """Return what changes do to one employee's risk, and which single ones would suffice."""
        return await self._beside(partial(_what_if, question, language))

    async def _beside(self, work: Callable[[], Answer]) -> Answer:
        """Do long work off the event loop, one at a time: more would share the same core."""
        return await anyio.to_thread.run_sync(work, limiter=self._one)


def _predict_batch(employees: Sequence[Employee], language: Language) -> Answer:
    scorer = worker.scorer
    scored = scorer.score(employees)
    return Answer(orjson.dumps([scorer.document(prediction, language) for prediction in scored]), scored)


def _what_if(question: WhatIfQuestion, language: Language) -> Answer:
    scorer = worker.scorer
    before, after = scored = scorer.score([question.employee, question.changed()])
    return Answer(orjson.dumps(compare(scorer, before, after, language).model_dump()), scored)


# The decorator's annotation says the class; what it returns is the Service around it.
service = cast("bentoml.Service[Churn]", Churn)

bentoml_patches.apply(traced=is_traced())

parser = Parser(models)
renderer = PageRenderer(worker.frame_ancestors)
refusals = Refusals(renderer)
check = ReadinessCheck(worker.check)
gradio = GradioPage(parser, worker.endpoints, TECHNOVA)

# The first added is the outermost.
service.add_asgi_middleware(Metrics, tell=access_log.tell if logs_access() else None)
service.add_asgi_middleware(SecurityHeaders)
service.add_asgi_middleware(Journalling, journal=worker, refusals=refusals)
service.add_asgi_middleware(ErrorResponses, refusals=refusals)
service.add_asgi_middleware(Readiness, check=check)
service.add_asgi_middleware(Gate, authenticator=worker.authenticator)
service.add_asgi_middleware(PredictionRoutes, parser=parser, endpoints=worker.endpoints, batches=worker)
history = HistoryReader(worker.history)
routes = (
    make_landing(TECHNOVA.example, renderer, check),
    *make_api_pages(worker.frame_ancestors),
    make_assets(),
    *make_ui(TECHNOVA, parser, worker, history, check, gradio),
    *make_history(history),
    make_reviews(history),
    *make_jobs(worker.jobs),
    make_metrics(worker.state),
    make_openapi(models),
)
service.mount_asgi_app(make_pages(worker.card, routes), path="/")
