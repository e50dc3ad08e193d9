"""The page of one employee: a form, and the risk with its reasons."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.dictionary.dictionary import Example
from churn.ui.drawings import Bar, Gauge, bars
from churn.ui.employee_form import Values
from churn.ui.form_scoring import FormScoring
from churn.web.endpoints.forms import read_form
from churn.web.endpoints.html_page import PageRenderer
from churn.web.request_state import state_of

FIRST_REASONS = 8  # that are shown at once


class EmployeePage:
    """Scores the employee in its form as `/predict` does."""

    def __init__(self, renderer: PageRenderer, scoring: FormScoring) -> None:
        self._renderer, self._scoring, self._form = renderer, scoring, scoring.form
        dictionary = scoring.dictionary
        examples: dict[str, Example] = {"risk": dictionary.example, "calm": dictionary.calm_example}
        self._examples = {name: example for name, example in examples.items() if example}

    @property
    def routes(self) -> list[Route]:
        """The routes of the page."""
        return [
            Route("/app/employee", self.show, methods=["GET"]),
            Route("/app/employee", self.predict, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Answer the form, empty or with an example."""
        example = self._examples.get(request.query_params.get("example", ""), {})
        return self._render(request, self._form.values(example, state_of(request.scope).language))

    async def predict(self, request: Request) -> Response:
        """Answer the form again, with the risk or with what is wrong."""
        form = await read_form(request)
        values = form.fields
        if not form.is_ours:
            return self._render(request, values, status=403, is_stale=True)
        state = state_of(request.scope)
        try:
            prediction = await self._scoring.predict(state, values)
        except InvalidInputError as error:
            errors = self._form.errors(error, values, state.language)
            return self._render(request, values, errors, status=error.status)
        return self._render(request, values, prediction=prediction)

    def _render(
        self,
        request: Request,
        values: Values,
        errors: Values | None = None,
        *,
        status: int = 200,
        prediction: Mapping[str, Any] | None = None,
        is_stale: bool = False,
    ) -> Response:
        errors, language = errors or {}, state_of(request.scope).language
        return self._renderer.render(
            request,
            "employee.html.j2",
            status=status,
            groups=self._form.groups(language, values, errors),
            errors=errors,
            labels=self._form.labels(language),
            prediction=prediction,
            gauge=prediction and Gauge.of(prediction),
            reasons=prediction and reasons_of(prediction),
            first=FIRST_REASONS,
            is_stale=is_stale,
            examples=self._examples,
        )


def reasons_of(prediction: Mapping[str, Any]) -> list[Bar]:
    """Return the reasons of an answered prediction as bars."""
    return bars([(reason["text"], reason["contribution"]) for reason in prediction["reasons"]])
