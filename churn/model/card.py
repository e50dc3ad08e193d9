"""The served model's card: what `GET /model` answers."""

from churn.core.language import Language
from churn.i18n import limits
from churn.i18n.formatting import Locale
from churn.model.registry import ServedModel
from churn.schemas.service_answers import Bands, ModelCard, SelfTest

# Kept with the model, but of no use to a caller: the report shows them.
_LEFT_TO_THE_REPORT = ("curves", "chosen", "summaries")


def describe(model: ServedModel, language: Language) -> ModelCard:
    """Return the card: version, figures, threshold, fields, fairness, limits, and the self-test."""
    kept = {name: value for name, value in model.report.items() if name not in _LEFT_TO_THE_REPORT}
    return ModelCard.model_validate(
        kept
        | {
            "tag": model.tag,
            "bands": Bands(moderate=model.threshold / 2, high=model.threshold),
            "base_value": model.scorecard.base_value,
            "limits": _limits(model, Locale(language, model.dictionary, space=" ")),
            "self_test": SelfTest.model_validate(model.self_test, from_attributes=True),
        }
    )


def _limits(model: ServedModel, locale: Locale) -> list[str]:
    """Return what the model must not be taken for, the worst first."""
    warnings = limits.warnings(model.report, locale)
    sentences = [
        locale.say("{title} : {text}", "{title}: {text}", title=title, text=text) for title, text in warnings
    ]
    return [*sentences, *limits.limits(locale, model.report), *limits.cautions(model.report, locale)]
