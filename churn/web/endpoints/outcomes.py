"""POST /outcomes: who has left, and who was still there, held against the predictions later."""

from collections.abc import Callable, Sequence

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import FieldError
from churn.core.language import LANGUAGES, Language
from churn.i18n.outcome_sentences import EXPECTED, FAULTS
from churn.schemas.outcome import Outcome, OutcomeProblem, OutcomesInput, RefusedOutcome, StoredOutcomes
from churn.web.endpoints.body_reader import BodyReader
from churn.web.parsing import MAX_OUTCOMES_BYTES, Place, parse, readable, validated
from churn.web.request_state import state_of

# Returns the outcomes that can be stored, and why others cannot; waits for the database.
Sift = Callable[[Sequence[tuple[int, Outcome]]], tuple[list[Outcome], list[OutcomeProblem]]]


def make_outcomes(sift: Sift) -> Route:
    """Return the route; outcomes are stored with the call that brings them, before the answer leaves."""
    reader = BodyReader()

    async def outcomes(request: Request) -> Response:
        """Answer how many are stored, and which are not."""
        state = state_of(request.scope)
        body = await reader.read(request.scope["headers"], state, request.receive, MAX_OUTCOMES_BYTES)
        try:
            given = check_outcomes(parse(body.read()))
        finally:
            reader.let_go(state.caller, body)
        placed = [
            (position, Outcome(one.employee_id, one.left_on, one.known_until))
            for position, one in enumerate(given.outcomes)
        ]
        state.outcomes, problems = await anyio.to_thread.run_sync(sift, placed)
        answer = _answer(state.outcomes, problems, state.language)
        return Response(answer.model_dump_json(), media_type="application/json")

    return Route("/outcomes", outcomes, methods=["POST"])


def check_outcomes(parsed: object) -> OutcomesInput:
    """Return outcomes, as they may be in JSON.

    Raises:
        InvalidInputError: it holds none; one entry per offending field.
    """
    return validated(OutcomesInput, parsed, _error)


def _error(loc: Place, kind: str) -> FieldError:
    """Return the error for a place in the body; never its value."""
    place = ("body", *(readable(part) if isinstance(part, str) else part for part in loc))
    if not loc:
        return FieldError(place, "object_type", expected=EXPECTED["outcomes"])
    if kind == "extra_forbidden":
        return FieldError(place, "unknown_field")
    expected = None if kind == "missing" else EXPECTED.get(str(loc[-1]), EXPECTED["outcomes"])
    return FieldError(place, kind, expected=expected)


def _answer(
    stored: Sequence[Outcome], problems: Sequence[OutcomeProblem], language: Language
) -> StoredOutcomes:
    place = LANGUAGES.index(language)
    return StoredOutcomes(
        stored=len(stored),
        left=sum(outcome.left_on is not None for outcome in stored),
        refused=[
            RefusedOutcome(position=problem.place, fault=problem.fault, msg=FAULTS[problem.fault][place])
            for problem in problems
        ],
    )
