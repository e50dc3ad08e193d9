"""The page that tries changes: one employee's risk before and after them, and what would suffice."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.i18n import messages
from churn.ui.drawings import Bar, Gauge, bars
from churn.ui.employee_form import Values
from churn.ui.form_scoring import FormScoring
from churn.web.endpoints.forms import read_form
from churn.web.endpoints.html_page import PageRenderer
from churn.web.request_state import state_of

BEFORE = "before."  # begins the names of the fields that hold the employee as it is


class WhatIfPage:
    """Compares the employee in its form with the same one as it was first sent, as `/what_if` does."""

    def __init__(self, renderer: PageRenderer, scoring: FormScoring) -> None:
        self._renderer, self._scoring, self._form = renderer, scoring, scoring.form
        self._dictionary = scoring.dictionary

    @property
    def routes(self) -> list[Route]:
        """The routes of the page."""
        return [
            Route("/app/what-if", self.show, methods=["GET"]),
            Route("/app/what-if", self.compare, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Answer an empty form, for the employee as of now."""
        return self._render(request, {}, {})

    async def compare(self, request: Request) -> Response:
        """Answer the form again, with the risk before and after the changes or with what is wrong."""
        form = await read_form(request)
        before = {
            name.removeprefix(BEFORE): text for name, text in form.fields.items() if name.startswith(BEFORE)
        }
        after = {name: text for name, text in form.fields.items() if not name.startswith(BEFORE)}
        name, _, value = after.pop("apply", "").partition("=")
        if name:
            after[name] = value
        if "restart" in after or not before:
            before = after
        if not form.is_ours:
            return self._render(request, before, after, status=403, is_stale=True)
        state = state_of(request.scope)
        try:
            comparison = await self._scoring.what_if(state, before, after)
        except InvalidInputError as error:
            errors = self._form.errors(error, after, state.language)
            known = {} if before == after else before
            return self._render(request, known, after, errors, status=error.status)
        return self._render(request, before, after, comparison=comparison)

    def _render(
        self,
        request: Request,
        before: Values,
        after: Values,
        errors: Values | None = None,
        *,
        status: int = 200,
        comparison: Mapping[str, Any] | None = None,
        is_stale: bool = False,
    ) -> Response:
        errors, language = errors or {}, state_of(request.scope).language
        known = {field.name for field in self._dictionary.inputs}
        return self._renderer.render(
            request,
            "what_if.html.j2",
            status=status,
            groups=self._form.groups(language, after, errors),
            errors=errors,
            labels=self._form.labels(language),
            before={BEFORE + name: text for name, text in before.items() if name in known},
            comparison=comparison,
            gauges=comparison and [Gauge.of(comparison[side]) for side in ("before", "after")],
            differences=comparison and differences_of(comparison, self._dictionary, language),
            is_stale=is_stale,
        )


def differences_of(comparison: Mapping[str, Any], dictionary: Dictionary, language: Language) -> list[Bar]:
    """Return what each change of an answered what-if does, as bars."""
    labelled = []
    for difference in comparison["difference"]["fields"]:
        field = dictionary.by_name.get(difference["field"])
        text = messages.difference(field, difference["before"], difference["after"], language)
        labelled.append((text, difference["change"]))
    return bars(labelled)
