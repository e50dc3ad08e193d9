"""The page that tries changes: one employee's risk before and after them, and what would suffice."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import InvalidInputError
from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.i18n import messages
from churn.ui.drawings import Bar, Gauge, bars
from churn.ui.employee_form import EmployeeForm, Values
from churn.ui.employee_page import refuse
from churn.web.endpoints.forms import read_form
from churn.web.endpoints.html_page import PageRenderer, language_of
from churn.web.endpoints.predictions import Endpoint
from churn.web.parsing import Parser
from churn.web.request_state import state_of

BEFORE = "before."  # begins the names of the fields that hold the employee as it is


class WhatIfPage:
    """Compares the employee in its form with the same one as it was first sent, as `/what_if` does."""

    def __init__(
        self,
        renderer: PageRenderer,
        parser: Parser,
        endpoints: Mapping[str, Endpoint],
        dictionary: Dictionary,
    ) -> None:
        self._renderer, self._parser, self._endpoints = renderer, parser, endpoints
        self._dictionary, self._form = dictionary, EmployeeForm(dictionary)

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
        form, state, language = await read_form(request), state_of(request.scope), language_of(request)
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
        try:
            question = self._parser.what_if(self._question(before, after))
        except InvalidInputError as error:
            errors = self._form.errors(error, after, language)
            known = {} if before == after else before
            return self._render(request, known, after, errors, status=refuse(error, state))
        answer = await self._endpoints["/what_if"](question, language)
        state.scored, state.document = answer.scored, answer.body
        return self._render(request, before, after, comparison=orjson.loads(answer.body))

    def _question(self, before: Values, after: Values) -> dict[str, object]:
        """Return what the API would be asked: the employee, and what differs; None is unknown from now on."""
        employee, changed = self._form.record(before), self._form.record(after)
        identifier = self._dictionary.identifier.name
        changes = {
            name: changed.get(name)
            for name in (*employee, *changed)
            if changed.get(name) != employee.get(name) and name != identifier
        }
        return {"employee": employee, "changes": changes}

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
        errors, language = errors or {}, language_of(request)
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
            differences=comparison and self._differences(comparison, language),
            is_stale=is_stale,
        )

    def _differences(self, comparison: Mapping[str, Any], language: Language) -> list[Bar]:
        by_name = self._dictionary.by_name
        labelled = []
        for difference in comparison["difference"]["fields"]:
            text = messages.difference(
                by_name.get(difference["field"]), difference["before"], difference["after"], language
            )
            labelled.append((text, difference["change"]))
        return bars(labelled)
