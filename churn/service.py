"""The BentoML Service: joins settings, scorer, journal, gate and pages; decides nothing.

At import, no secret is read and nothing is opened: `bentoml build` imports this file on machines without
either. Only the dictionary of the model to be served is looked for, as all that is made here speaks of it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from types import GenericAlias, MethodType
from typing import cast

import anyio
import anyio.to_thread
import bentoml
import orjson

from churn.backend import Backend
from churn.core.language import Language
from churn.core.settings import is_traced, logs_access
from churn.dictionary.technova import TECHNOVA
from churn.model.served_dictionary import served_dictionary
from churn.model.what_if import compare
from churn.schemas.employee import Employee, WhatIfQuestion, request_models
from churn.schemas.responses import Prediction, WhatIfAnswer
from churn.supervised import OPTIONS, check_start
from churn.ui.all_pages import make_ui
from churn.ui.form_scoring import FormScoring
from churn.ui.gradio_page import GradioPage
from churn.web.endpoints.api_pages import make_api_pages
from churn.web.endpoints.assets import make_assets
from churn.web.endpoints.history import HistoryReader, make_history
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.jobs import JobEndpoints
from churn.web.endpoints.landing import make_landing
from churn.web.endpoints.monitor_reader import MonitorReader, make_monitoring
from churn.web.endpoints.outcomes import make_outcomes
from churn.web.endpoints.pages import make_pages
from churn.web.endpoints.predictions import Answer, PredictionRoutes
from churn.web.endpoints.reviews import make_reviews
from churn.web.middleware.error_responses import ErrorResponses, Refusals
from churn.web.middleware.gate import Gate
from churn.web.middleware.journalling import Journalling
from churn.web.middleware.metrics import Metrics, make_metrics
from churn.web.middleware.readiness import Readiness
from churn.web.middleware.security_headers import SecurityHeaders
from churn.web.openapi import make_openapi
from churn.web.parsing import Parser
from churn.web.readiness_check import ReadinessCheck
from churn.web.server import access_log, bentoml_patches
from churn.web.server.bentoml_patches import input_spec, output_spec
from churn.web.tracebacks import log_without_texts
from churn.web.worker_marks import tell_ready, wait_until_checked

dictionary = served_dictionary(TECHNOVA)
worker = Backend(dictionary)
models = request_models(dictionary)


@bentoml.service(**OPTIONS)
class Churn:
    """Employee-turnover risk with exact reasons; every call authenticated and journalled."""

    def __init__(self) -> None:
        log_without_texts()
        worker.open(has_identities=wait_until_checked())
        worker.endpoints.update({api.route: MethodType(api.func, self) for api in service.apis.values()})
        self._one = anyio.CapacityLimiter(1)
        tell_ready()
        if not worker.left_out():
            gradio.load()

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Refuse to start where a worker could not serve; then, our supervisor takes over."""
        check_start()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Let go of the database."""
        gradio.close()
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
renderer = PageRenderer(worker.frame_ancestors, worker.left_out)
refusals = Refusals(renderer)
check = ReadinessCheck(worker.check)
scoring = FormScoring(parser, worker.endpoints, dictionary)
gradio = GradioPage(scoring, worker.frame_ancestors)

# The first added is the outermost.
service.add_asgi_middleware(Metrics, tell=access_log.tell if logs_access() else None)
service.add_asgi_middleware(SecurityHeaders)
service.add_asgi_middleware(Journalling, journal=worker, refusals=refusals)
service.add_asgi_middleware(ErrorResponses, refusals=refusals)
service.add_asgi_middleware(Readiness, check=check)
service.add_asgi_middleware(Gate, authenticator=worker.authenticator)
service.add_asgi_middleware(PredictionRoutes, parser=parser, endpoints=worker.endpoints, batches=worker)
monitors = MonitorReader(worker.monitors)
history, jobs = HistoryReader(worker.history), JobEndpoints(worker.jobs)
routes = (
    make_landing(dictionary.example, renderer, check),
    *make_api_pages(worker.frame_ancestors),
    make_assets(),
    *make_ui(scoring, worker, history, monitors, check, jobs, gradio),
    *make_history(history),
    *make_monitoring(monitors),
    make_outcomes(worker.sift),
    make_reviews(history),
    *jobs.routes,
    make_metrics(worker.state),
    make_openapi(models),
)
service.mount_asgi_app(make_pages(worker.card, routes), path="/")
