"""The served model's card as JSON: what `GET /model` answers."""

from typing import Any

from churn.core.language import Language
from churn.i18n import limits
from churn.i18n.formatting import Locale
from churn.model.registry import ServedModel

# Kept with the model, and not worth a caller's while: who wants them reads the report.
_LEFT_TO_THE_REPORT = ("curves", "chosen", "summaries")


def describe(model: ServedModel, language: Language) -> dict[str, Any]:
    """Return the card: version, figures, threshold, fields, fairness, limits, and the self-test."""
    kept = {name: value for name, value in model.report.items() if name not in _LEFT_TO_THE_REPORT}
    return {
        **kept,
        "tag": model.tag,
        "bands": {"moderate": model.threshold / 2, "high": model.threshold},
        "base_value": model.scorecard.base_value,
        "limits": _limits(model, Locale(language, model.dictionary, space=" ")),
        "self_test": {
            "passed": model.self_test.passed,
            "failures": list(model.self_test.failures),
            "notes": list(model.self_test.notes),
        },
    }


def _limits(model: ServedModel, locale: Locale) -> list[str]:
    """Return what the model must not be taken for, the worst first."""
    warnings = limits.warnings(model.report, locale)
    sentences = [
        locale.say("{title} : {text}", "{title}: {text}", title=title, text=text) for title, text in warnings
    ]
    return [*sentences, *limits.limits(locale), *limits.cautions(model.report, locale)]
