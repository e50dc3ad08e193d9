"""The served model's card as JSON: what `GET /model` answers."""

from typing import Any

from churn.dictionary import domain
from churn.dictionary.domain import Language
from churn.model.registry import ServedModel

# Kept with the model, and not worth a caller's while: who wants them reads the report.
_LEFT_TO_THE_REPORT = ("curves", "chosen", "summaries")

_LIMITS: tuple[tuple[str, str], ...] = (
    (
        "Une aide à la conversation, jamais une décision : aucune sanction, promotion, embauche ou rupture "
        "ne doit en découler.",
        "A help to a conversation, never a decision: no sanction, promotion, hiring or dismissal may follow "
        "from it.",
    ),
    (
        "Appris sur une seule entreprise : ailleurs, il faut le réentraîner et le réauditer.",
        "Learned from one company: elsewhere it must be trained and audited again.",
    ),
    (
        "Des corrélations, pas des causes : changer une valeur ne change pas forcément le départ.",
        "Correlations, not causes: to change a value need not change who leaves.",
    ),
    (
        "Hors des plages observées, l'effet d'un champ reste celui du bord de la plage.",
        "Outside the ranges seen, a field's effect stays that of the range's edge.",
    ),
)
_DISTANCE = (
    "La distance domicile-travail peut révéler le lieu de résidence, que protège l'article L1132-1 du Code "
    "du travail ; `churn train --exclude distance_domicile_travail` l'écarte.",
    "The distance from home to work may reveal the place of residence, which article L1132-1 of the French "
    "labour code protects; `churn train --exclude distance_domicile_travail` leaves it out.",
)
_PROTECTED = (
    "Ce modèle utilise des champs protégés : {fields}.",
    "This model takes protected fields: {fields}.",
)
_NO_SIGNAL = (
    "Pas mieux que le hasard : les données d'apprentissage ne disent pas qui part (ROC-AUC {roc_auc:.2f}, "
    "intervalle à 95 % de {low:.2f} à {high:.2f}).",
    "No better than chance: the training data do not show who leaves (ROC-AUC {roc_auc:.2f}, 95% interval "
    "{low:.2f} to {high:.2f}).",
)
_SAMPLE = (
    "Entraîné sur l'échantillon fourni : personne n'y existe, et ses chiffres disent peu.",
    "Trained on the embedded sample: nobody in it exists, and its figures say little.",
)


def describe(model: ServedModel, language: Language) -> dict[str, Any]:
    """Return the card: version, figures, threshold, fields, fairness, limits, and the self-test."""
    kept = {name: value for name, value in model.report.items() if name not in _LEFT_TO_THE_REPORT}
    return {
        **kept,
        "tag": model.tag,
        "bands": {"moderate": model.threshold / 2, "high": model.threshold},
        "base_value": model.scorecard.base_value,
        "limits": limits(model, language),
        "self_test": {
            "passed": model.self_test.passed,
            "failures": list(model.self_test.failures),
            "notes": list(model.self_test.notes),
        },
    }


def limits(model: ServedModel, language: Language) -> list[str]:
    """Return what the model must not be taken for."""
    names = {field.name for field in model.fields}
    protected = [field.label(language) for field in domain.PROTECTED if field.name in names]
    signal = model.report.get("signal", {"shown": True})
    told = [
        *([_NO_SIGNAL] if not signal["shown"] else []),
        *([_SAMPLE] if model.report.get("sample") else []),
        *([_PROTECTED] if protected else []),
        *_LIMITS,
        *([_DISTANCE] if "distance_domicile_travail" in names else []),
    ]
    return [pair[language == "en"].format(fields=", ".join(protected), **signal) for pair in told]
