"""The page of one past prediction: its risk and reasons as they are stored, its reviews, and a new one."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from churn.access.roles import allows
from churn.core.errors import InvalidInputError
from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.i18n import messages, review_sentences
from churn.i18n.moments import moment
from churn.model.scoring import ranked
from churn.model.served_dictionary import dictionary_of
from churn.schemas.logged_prediction import LoggedPrediction
from churn.schemas.review import LONGEST_COMMENT
from churn.ui import review_form
from churn.ui.drawings import Bar, Gauge, bars
from churn.ui.employee_page import FIRST_REASONS
from churn.web.endpoints.forms import read_form
from churn.web.endpoints.history import HistoryReader
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.reviews import add_review
from churn.web.middleware.error_responses import note_refusal
from churn.web.request_state import state_of


class PredictionPage:
    """Shows a prediction of the journal to those who may see it, and adds reviews to it.

    It is told in the words of the model that made it, or of `dictionary` where the store has that no more.
    """

    def __init__(self, renderer: PageRenderer, history: HistoryReader, dictionary: Dictionary) -> None:
        self._renderer, self._history = renderer, history
        self._dictionary_of = lru_cache(maxsize=16)(lambda tag: dictionary_of(tag, dictionary) or dictionary)

    @property
    def routes(self) -> list[Route]:
        """The routes of the page."""
        return [
            Route("/app/history/{id:uuid}", self.show, methods=["GET"]),
            Route("/app/history/{id:uuid}/review", self.review, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Answer the prediction, with an empty form for a review."""
        return self._render(request, await self._prediction(request))

    async def review(self, request: Request) -> Response:
        """Add a review and lead back to the prediction; or answer the form with what is wrong."""
        form, state = await read_form(request), state_of(request.scope)
        prediction = await self._prediction(request)
        if not form.is_ours:
            return self._render(request, prediction, form.fields, status=403, is_stale=True)
        try:
            given = review_form.read(form.fields)
        except InvalidInputError as error:
            errors = review_form.errors_of(error, state.language)
            note_refusal(error, state)
            return self._render(request, prediction, form.fields, errors, status=error.status)
        added = add_review(state, prediction, given)
        return RedirectResponse(f"../{prediction.prediction_id}#review-{added.review_id}", 303)

    async def _prediction(self, request: Request) -> LoggedPrediction:
        return await self._history.prediction(request.path_params["id"], state_of(request.scope).caller)

    def _render(
        self,
        request: Request,
        prediction: LoggedPrediction,
        typed: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        *,
        status: int = 200,
        is_stale: bool = False,
    ) -> Response:
        state = state_of(request.scope)
        language, scopes = state.language, state.caller.scopes
        told = self._told(prediction, language)
        return self._renderer.render(
            request,
            "prediction.html.j2",
            status=status,
            prediction=prediction,
            told=told,
            gauge=told and Gauge.of(told),
            reasons=self._reasons(prediction, language),
            first=FIRST_REASONS,
            record=self._record(prediction, language),
            moment=lambda at: moment(at, language),
            verdicts=review_sentences.in_words(review_sentences.VERDICTS, language),
            actions=review_sentences.in_words(review_sentences.ACTIONS, language),
            given=review_sentences.in_words(review_sentences.GIVEN, language),
            longest=LONGEST_COMMENT,
            typed={name: (typed or {}).get(name, "") for name in review_form.FIELDS},
            errors=errors or {},
            labels=review_form.labels(language),
            is_stale=is_stale,
            may_review=allows(scopes, "predict") and not prediction.erased,
        )

    def _told(self, prediction: LoggedPrediction, language: Language) -> dict[str, Any] | None:
        """Return what an answer would say of it; None where that is erased or missing."""
        if prediction.probability is None or prediction.threshold is None:
            return None
        return {
            "probability": prediction.probability,
            "threshold": prediction.threshold,
            "band": prediction.band,
            "message": messages.verdict(bool(prediction.prediction), language),
        }

    def _reasons(self, prediction: LoggedPrediction, language: Language) -> list[Bar]:
        """Return the stored contributions as bars; none where they are erased or cannot be read."""
        values, contributions = prediction.values or {}, prediction.contributions or {}
        known = {name: v for name, v in values.items() if isinstance(contributions.get(name), int | float)}
        dictionary = self._dictionary_of(prediction.model)
        by_name, protected = dictionary.by_name, {field.name for field in dictionary.protected}
        return bars(
            [
                (messages.reason(by_name.get(name), value, part, language), part)
                for _, name, value, part in ranked(known, contributions, protected)
            ]
        )

    def _record(self, prediction: LoggedPrediction, language: Language) -> list[tuple[str, str]]:
        """Return the record as labels and values; what is unknown is left out."""
        record = prediction.record or {}
        return [
            (field.label(language), messages.quantity(field, record[field.name], language))
            for field in self._dictionary_of(prediction.model).inputs
            if record.get(field.name) is not None
        ]
