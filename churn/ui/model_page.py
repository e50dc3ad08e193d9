"""The page of the served model: how good and how fair it is, what it looks at, what it is not for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.i18n import four_fifths, limits
from churn.i18n.formatting import Locale
from churn.i18n.terms import METRICS, metric_title
from churn.model import effects
from churn.model.registry import ServedModel
from churn.ui.drawings import WIDTH, polyline
from churn.web.endpoints.html_page import PageRenderer
from churn.web.request_state import state_of

# The figures that are told, the most telling first.
_FIGURES = ("roc_auc", "average_precision", "calibration_error", "brier")


@dataclass(frozen=True, slots=True)
class Share:
    """Something with a name and a size, beside the largest of its kind."""

    label: str
    text: str
    length: float


class ModelPage:
    """Shows the model that `served` returns, once the service has started."""

    def __init__(self, renderer: PageRenderer, served: Callable[[], ServedModel]) -> None:
        self._renderer, self._served = renderer, served

    @property
    def routes(self) -> list[Route]:
        """The route of the page."""
        return [Route("/app/model", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer the page."""
        model = self._served()
        locale = Locale(state_of(request.scope).language, model.dictionary)
        facts = model.report
        return self._renderer.render(
            request,
            "model.html.j2",
            tag=model.tag,
            facts=facts,
            locale=locale,
            threshold=model.threshold,
            warnings=limits.warnings(facts, locale),
            failures=[*model.self_test.failures],
            limits=[*limits.limits(locale, facts), *limits.cautions(facts, locale)],
            figures=_figures(facts, locale),
            importance=_importance(model, locale),
            metrics=facts["metrics"],
            roc=polyline(facts.get("curves", {}).get("roc", ())),
            calibration=facts.get("curves", {}).get("calibration", ()),
            audits=[(audit, four_fifths.reading(audit, locale)) for audit in facts.get("fairness", ())],
        )


def _figures(facts: Mapping[str, Any], locale: Locale) -> list[tuple[str, str]]:
    """Return what is known of how good the model is: titles, and values with their spread."""
    known = [name for name in _FIGURES if name in facts["metrics"] and name in METRICS]
    return [(metric_title(name, locale), locale.spread(facts["metrics"][name])) for name in known]


def _importance(model: ServedModel, locale: Locale) -> Sequence[Share]:
    """Return how far each field moves the risk, on average over the training data; of older models none."""
    if not (summaries := model.report.get("summaries")):
        return ()
    found = effects.read(model.scorecard, summaries, model.dictionary)
    largest = max((effect.importance for effect in found), default=0.0) or 1.0
    return [
        Share(
            effect.field.label(locale.language),
            locale.number(effect.importance),
            effect.importance / largest * WIDTH,
        )
        for effect in found
    ]
