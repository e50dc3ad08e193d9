"""POST /predictions/{id}/review: a person agrees or disagrees with a prediction, and may say why."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import FieldError, NotFoundError
from churn.i18n.review_sentences import EXPECTED
from churn.schemas.caller import Who
from churn.schemas.logged_prediction import LoggedPrediction
from churn.schemas.review import AddedReview, LoggedReview, Review, ReviewInput
from churn.web.endpoints.body_reader import BodyReader
from churn.web.endpoints.history import HistoryReader
from churn.web.parsing import MAX_REVIEW_BYTES, Place, parse, readable, validated
from churn.web.request_state import RequestState, state_of


def make_reviews(history: HistoryReader) -> Route:
    """Return the route; a review is stored with the call that adds it, before the answer leaves."""
    reader = BodyReader()

    async def review(request: Request) -> Response:
        """Answer the review as it is stored."""
        state = state_of(request.scope)
        body = await reader.read(request.scope["headers"], state, request.receive, MAX_REVIEW_BYTES)
        try:
            given = check_review(parse(body.read()))
        finally:
            reader.let_go(state.caller, body)
        reviewed = await history.prediction(request.path_params["id"], state.caller)
        added = AddedReview(prediction_id=reviewed.prediction_id, review=add_review(state, reviewed, given))
        return Response(added.model_dump_json(), media_type="application/json")

    return Route("/predictions/{id:uuid}/review", review, methods=["POST"])


def add_review(state: RequestState, reviewed: LoggedPrediction, given: ReviewInput) -> LoggedReview:
    """Have the journal store a review with its call, and return it as it will be read back.

    Raises:
        NotFoundError: the prediction is erased: nobody can judge it any more.
    """
    if reviewed.erased:
        raise NotFoundError
    state.review = Review(reviewed.prediction_id, given.verdict, given.action, given.comment)
    who = Who(state.caller.kind, state.caller.name)
    return LoggedReview(state.request_id, state.received_at, who, given.verdict, given.action, given.comment)


def check_review(parsed: object) -> ReviewInput:
    """Return a review, as it may be in JSON.

    Raises:
        InvalidInputError: it holds none; one entry per offending field.
    """
    return validated(ReviewInput, parsed, _error)


def _error(loc: Place, kind: str) -> FieldError:
    """Return the error for a field, or for the whole; never its value."""
    name = loc[0] if loc else None
    if not isinstance(name, str):
        return FieldError(("body",), "object_type")
    if kind == "extra_forbidden":
        return FieldError(("body", readable(name)), "unknown_field")
    return FieldError(("body", name), kind, expected=None if kind == "missing" else EXPECTED.get(name))
