"""What happens on the Gradio page: an estimate, and a comparison with the last one."""

from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from churn.core.errors import InvalidInputError
from churn.core.templates import templates_of
from churn.schemas.gradio_event import read_event
from churn.ui.drawings import Gauge
from churn.ui.employee_form import Values
from churn.ui.employee_page import FIRST_REASONS, reasons_of
from churn.ui.form_scoring import FormScoring
from churn.ui.what_if_page import differences_of
from churn.web.endpoints.forms import read_body
from churn.web.request_state import RequestState, state_of

_TEMPLATE = templates_of("churn.ui", "churn.web").get_template("gradio_answer.html.j2")


class GradioEvents:
    """Answers all events, which come to one address: what to show, and after an estimate what was typed."""

    def __init__(self, scoring: FormScoring) -> None:
        self._scoring, self._form = scoring, scoring.form
        self._names = [field.name for group in self._form.groups("fr", {}, {}) for field in group.fields]

    async def answer(self, request: Request) -> Response:
        """Answer one event.

        Raises:
            InvalidInputError, PayloadTooLargeError: it is none of the page's.
        """
        state = state_of(request.scope)
        event = read_event(await read_body(request))
        if event.fn_index == 0:
            typed = self._typed(event.data)
            shown: list[object] = [await self._predict(state, typed), typed]
        else:
            before, typed = event.data[0] if event.data else None, self._typed(event.data[1:])
            shown = [await self._what_if(state, before if isinstance(before, dict) else typed, typed)]
        return Response(orjson.dumps({"data": shown}), media_type="application/json")

    def _typed(self, values: Sequence[object]) -> dict[str, str]:
        named = zip(self._names, values, strict=False)
        return {name: value for name, value in named if isinstance(value, str) and value}

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
        """Return what Gradio shows as Markdown, in which HTML begins at the margin."""
        english = state.language == "en"
        return _TEMPLATE.render(
            say=lambda french, english_text: english_text if english else french,
            language=state.language,
            labels=self._form.labels(state.language),
            first=FIRST_REASONS,
            **{"prediction": None, "comparison": None, "errors": {}, **values},
        ).strip()
