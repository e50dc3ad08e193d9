"""Scoring of what was typed into a form: as the service's endpoints do it, noted for the journal."""

from collections.abc import Mapping
from typing import Any

import orjson

from churn.core.errors import InvalidInputError
from churn.dictionary.dictionary import Dictionary
from churn.ui.employee_form import EmployeeForm, Values
from churn.web.endpoints.predictions import Endpoint
from churn.web.middleware.error_responses import note_refusal
from churn.web.parsing import Parser
from churn.web.request_state import RequestState


class FormScoring:
    """Has the service's `endpoints`, by path, answer forms of a company's employees.

    Its methods raise InvalidInputError where what was typed is no employee; the journal is told that, too.
    """

    def __init__(self, parser: Parser, endpoints: Mapping[str, Endpoint], dictionary: Dictionary) -> None:
        self._parser, self._endpoints, self.dictionary = parser, endpoints, dictionary
        self.form = EmployeeForm(dictionary)

    async def predict(self, state: RequestState, values: Values) -> dict[str, Any]:
        """Return what `/predict` answers about the employee."""
        return await self._ask("/predict", state, self._parser.employee, self.form.record(values))

    async def what_if(self, state: RequestState, before: Values, after: Values) -> dict[str, Any]:
        """Return what `/what_if` answers about the employee before and after some changes."""
        return await self._ask("/what_if", state, self._parser.what_if, self.form.question(before, after))

    async def _ask(self, path: str, state: RequestState, read: Any, typed: object) -> dict[str, Any]:
        try:
            asked = read(typed)
        except InvalidInputError as error:
            note_refusal(error, state)
            raise
        answer = await self._endpoints[path](asked, state.language)
        state.scored, state.document = answer.scored, answer.body
        document: dict[str, Any] = orjson.loads(answer.body)
        return document
