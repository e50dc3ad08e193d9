"""The Gradio page at `/ui`: one employee, the reasons, and what changes would do; an extra, `churn[ui]`.

Gradio takes seconds to import. So a thread does that once the service is ready, and requests wait for it. Its
events are stateless and have no queue, so any worker answers them, and no file passes through it.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from churn.core.errors import InvalidInputError, NotFoundError
from churn.core.language import LANGUAGES
from churn.core.templates import templates_of
from churn.ui.drawings import Gauge
from churn.ui.employee_form import FormField, Values
from churn.ui.employee_page import FIRST_REASONS, reasons_of
from churn.ui.form_scoring import FormScoring
from churn.ui.gradio_answer import GradioAnswer
from churn.ui.what_if_page import differences_of
from churn.web.endpoints.assets import asset_address
from churn.web.request_state import STATE, RequestState

logger = logging.getLogger("churn")

PATH = "/ui"
_TEMPLATE = templates_of("churn.ui", "churn.web").get_template
_HEAD = '<link rel="stylesheet" href="../{}">'
_WORDS = {
    "title": ("# Le risque d'une personne", "# One person's risk"),
    "estimate": ("Estimer le risque", "Estimate the risk"),
    "compare": ("Comparer avec la dernière estimation", "Compare with the last estimate"),
}


class GradioPage:
    """An ASGI app: Gradio's, whose events `scoring` answers; without Gradio, nothing is there."""

    def __init__(self, scoring: FormScoring) -> None:
        self._scoring, self._form = scoring, scoring.form
        self._app: Future[ASGIApp | None] | None = None
        self._running: AsyncExitStack | None = None

    def load(self) -> None:
        """Begin to import Gradio and to build the page, in a thread."""
        self._app = Future()
        threading.Thread(target=self._load, args=(self._app,), name="gradio", daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request once the page is there; raises NotFoundError where it never will be."""
        app: Any = await asyncio.wrap_future(self._app) if self._app else None
        if app is None:
            raise NotFoundError
        if self._running is None:  # what BentoML mounts is told nothing of the server's start
            self._running = AsyncExitStack()
            await self._running.enter_async_context(app.router.lifespan_context(app))
        # Gradio's app knows its prefix itself, and compresses what is rewritten here.
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        own = {**scope, "root_path": "", "headers": headers}
        await app(own, receive, GradioAnswer(send, is_page=scope["path"] == f"{PATH}/").send)

    def _load(self, loading: "Future[ASGIApp | None]") -> None:
        try:
            # In a loop that is closed: where none runs, Gradio makes several and closes none.
            loading.set_result(asyncio.run(self._build()))
        except ImportError:
            logger.warning("the page /ui is left out: it needs the extra `ui`")
            loading.set_result(None)

    async def _build(self) -> ASGIApp:
        # Deferred: they take seconds, and are there only where the extra is installed.
        import gradio  # noqa: PLC0415
        from fastapi import FastAPI  # noqa: PLC0415

        texts = {name: dict(zip(LANGUAGES, pair, strict=True)) for name, pair in _WORDS.items()}
        shown = {language: self._form.groups(language, {}, {}) for language in LANGUAGES}
        for french, english in zip(*(shown[language] for language in LANGUAGES), strict=True):
            texts[french.title] = {"fr": french.title, "en": english.title}
            for here, there in zip(french.fields, english.fields, strict=True):
                texts[here.name] = {"fr": _label(here), "en": _label(there)}
        i18n = gradio.I18n(**{language: {k: v[language] for k, v in texts.items()} for language in LANGUAGES})
        with gradio.Blocks(title="churn", analytics_enabled=False) as blocks:
            gradio.Markdown(i18n("title"))
            names: list[str] = []
            inputs: list[Any] = []
            with gradio.Row():
                with gradio.Column():
                    for group, other in zip(shown["fr"], shown["en"], strict=True):
                        with gradio.Accordion(i18n(group.title), open=group.is_open):
                            names += [field.name for field in group.fields]
                            inputs += [
                                _input(gradio, i18n(here.name), here, there)
                                for here, there in zip(group.fields, other.fields, strict=True)
                            ]
                    estimate = gradio.Button(i18n("estimate"), variant="primary")
                    compare = gradio.Button(i18n("compare"))
                with gradio.Column():
                    before = gradio.JSON(visible=False)
                    answer = gradio.Markdown(sanitize_html=False)

            async def predict(request: gradio.Request, *values: Any) -> tuple[str, Values]:
                typed = _typed(names, values)
                return await self._predict(_state(request), typed), typed

            async def what_if(request: gradio.Request, known: Values | None, *values: Any) -> str:
                typed = _typed(names, values)
                return await self._what_if(_state(request), known or typed, typed)

            plain: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
            estimate.click(predict, inputs, [answer, before], **plain)
            compare.click(what_if, [before, *inputs], answer, **plain)
        app = FastAPI(openapi_url=None)
        gradio.mount_gradio_app(
            app,
            blocks,
            PATH,
            root_path=PATH,
            head=_HEAD.format(asset_address("risk.css")),
            theme=gradio.themes.Default(primary_hue="blue"),
            footer_links=[],
            pwa=False,
            run_history=False,
            ssr_mode=False,
            enable_monitoring=False,
            i18n=i18n,
        )
        return app

    async def _predict(self, state: RequestState, typed: Values) -> str:
        """Return the risk and its reasons, or what is wrong."""
        try:
            prediction = await self._scoring.predict(state, typed)
        except InvalidInputError as error:
            return self._render(state, errors=self._form.errors(error, typed, state.language))
        return self._render(
            state, prediction=prediction, gauge=Gauge.of(prediction), reasons=reasons_of(prediction)
        )

    async def _what_if(self, state: RequestState, before: Values, typed: Values) -> str:
        """Return the risk before and after, or what is wrong."""
        try:
            comparison = await self._scoring.what_if(state, before, typed)
        except InvalidInputError as error:
            return self._render(state, errors=self._form.errors(error, typed, state.language))
        return self._render(
            state,
            comparison=comparison,
            gauges=[Gauge.of(comparison[side]) for side in ("before", "after")],
            differences=differences_of(comparison, self._scoring.dictionary, state.language),
        )

    def _render(self, state: RequestState, **values: object) -> str:
        english = state.language == "en"
        return _TEMPLATE("gradio_answer.html.j2").render(
            say=lambda french, english_text: english_text if english else french,
            language=state.language,
            labels=self._form.labels(state.language),
            first=FIRST_REASONS,
            **{"prediction": None, "comparison": None, "errors": {}, **values},
        )


def _state(request: Any) -> RequestState:
    """Return the state of the request behind one of Gradio's."""
    state: RequestState = request.request.scope["state"][STATE]
    return state


def _label(field: FormField) -> str:
    return f"{field.label} ({field.unit})" if field.unit else field.label


def _input(gradio: Any, label: Any, field: FormField, other: FormField) -> Any:
    """Return Gradio's component for a field; its choices, which Gradio does not translate, are in both."""
    if not field.choices:
        return gradio.Textbox(label=label)
    texts = [
        (here if here == there else f"{here} / {there}", value)
        for (value, here), (_, there) in zip(field.choices, other.choices, strict=True)
    ]
    return gradio.Dropdown([("–", ""), *texts], value="", label=label)


def _typed(names: Sequence[str], values: Sequence[Any]) -> dict[str, str]:
    return {name: str(value) for name, value in zip(names, values, strict=True) if value not in (None, "")}
