"""The names of figures, policies and models in words, French and English."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from churn.core.language import Pair
from churn.i18n.formatting import Locale


class Metric(NamedTuple):
    """What a figure is called, in a sentence of its own and in a word or two."""

    title: Pair
    name: Pair
    lower_is_better: bool = False


METRICS: dict[str, Metric] = {
    "roc_auc": Metric(
        ("Aire sous la courbe ROC (ROC-AUC)", "Area under the ROC curve (ROC-AUC)"), ("ROC-AUC", "ROC-AUC")
    ),
    "roc_auc_core_only": Metric(
        (
            "ROC-AUC, les seuls champs obligatoires étant connus",
            "ROC-AUC, with only the required fields known",
        ),
        ("ROC-AUC, champs obligatoires seuls", "ROC-AUC, required fields only"),
    ),
    "average_precision": Metric(
        ("Précision moyenne (average precision)", "Average precision"),
        ("Précision moyenne", "Average precision"),
    ),
    "brier": Metric(("Score de Brier", "Brier score"), ("Score de Brier", "Brier score"), True),
    "log_loss": Metric(("Perte logarithmique", "Log loss"), ("Perte logarithmique", "Log loss"), True),
    "calibration_error": Metric(
        ("Erreur de calibration", "Calibration error"), ("Erreur de calibration", "Calibration error"), True
    ),
    "recall": Metric(
        ("Rappel : part des départs signalés", "Recall: share of the departures that are flagged"),
        ("Rappel au seuil", "Recall at the threshold"),
    ),
    "precision": Metric(
        ("Précision : part des signalés qui sont partis", "Precision: share of the flagged who left"),
        ("Précision au seuil", "Precision at the threshold"),
    ),
    "f2": Metric(("F2 de la décision", "F2 of the decision"), ("F2 au seuil", "F2 at the threshold")),
    "flagged": Metric(
        ("Part des employés signalés", "Share of the employees who are flagged"),
        ("Part signalée au seuil", "Share flagged at the threshold"),
    ),
    "threshold": Metric(
        ("Seuil choisi dans les plis", "Threshold chosen in the folds"),
        ("Seuil choisi dans les plis", "Threshold chosen in the folds"),
    ),
}

# What models are compared by.
COMPARED = ("roc_auc", "average_precision", "brier", "calibration_error")


def metric_title(name: str, locale: Locale) -> str:
    """Return what a figure is called in full, and whether less is better."""
    return locale.pick(METRICS[name].title) + _hint(name, locale)


def metric_name(name: str, locale: Locale) -> str:
    """Return what a figure is called in a word or two, and whether less is better."""
    return locale.pick(METRICS[name].name) + _hint(name, locale)


def _hint(name: str, locale: Locale) -> str:
    return locale.say(" (plus bas est mieux)", " (lower is better)") * METRICS[name].lower_is_better


def roc_auc(signal: Mapping[str, Any], locale: Locale) -> str:
    """Return a cross-validated ROC-AUC with its interval, as a part of a sentence."""
    return locale.say(
        "ROC-AUC {area}, avec son intervalle à 95 %",
        "ROC-AUC {area}, with its 95% interval",
        area=locale.estimate({**signal, "value": signal["roc_auc"]}),
    )


THIS_MODEL: Pair = ("Ce modèle", "This model")
CHALLENGERS: dict[str, Pair] = {
    "with_protected": ("Le même avec les champs protégés", "The same with the protected fields"),
    "core_only": ("Le même, champs obligatoires seuls", "The same, required fields only"),
    "linear": ("Régression logistique linéaire", "Linear logistic regression"),
    "forest": ("Forêt aléatoire", "Random forest"),
    "boosting": ("Gradient boosting", "Gradient boosting"),
    "ebm": ("Explainable boosting (EBM)", "Explainable boosting (EBM)"),
}

BANDS: dict[str, Pair] = {
    "low": ("faible", "low"),
    "moderate": ("modéré", "moderate"),
    "high": ("élevé", "high"),
}

FIELD_ROLES: dict[str, Pair] = {
    "core": ("obligatoire", "required"),
    "optional": ("facultatif", "optional"),
    "protected": ("protégé", "protected"),
    "target": ("ce qui est prédit", "what is predicted"),
}

_POLICIES: dict[str, Pair] = {
    "balanced_accuracy": (
        "Autant de justesse chez les partants que chez les restants",
        "As right about those who leave as about those who stay",
    ),
    "f0.5": (
        "La précision compte deux fois plus que le rappel (F0,5)",
        "Precision counts twice as much as recall (F0.5)",
    ),
    "f1": ("Précision et rappel comptent autant (F1)", "Precision and recall count alike (F1)"),
    "f2": (
        "Le rappel compte deux fois plus que la précision (F2)",
        "Recall counts twice as much as precision (F2)",
    ),
}


def policy(name: str, locale: Locale) -> str:
    """Return what a threshold was chosen for, in words; an unknown policy by its own name."""
    kind, *numbers = name.split(":")
    if kind == "cost" and len(numbers) == 2:
        miss, alarm = (locale.value(float(number)) for number in numbers)
        if miss == alarm:
            return locale.say(
                "Un départ manqué coûte autant qu'une fausse alerte",
                "A missed departure costs as much as a false alarm",
            )
        return locale.say(
            "Un départ manqué coûte {miss}, une fausse alerte {alarm}",
            "A missed departure costs {miss}, a false alarm {alarm}",
            miss=miss,
            alarm=alarm,
        )
    if kind == "capacity" and len(numbers) == 1:
        people = locale.count(float(numbers[0]))
        return locale.say(
            "S'entretenir avec {people} personnes au plus", "Talk to {people} people at most", people=people
        )
    return locale.pick(_POLICIES.get(name, (name, name)))


def candidate(plain: Mapping[str, Any], locale: Locale) -> str:
    """Return a shape of the curves, its penalty and its pairs, where it has some, in words."""
    shape = (
        locale.say("segments de droite", "straight pieces")
        if plain["degree"] == 1
        else locale.say(
            "morceaux de polynômes de degré {degree}",
            "pieces of polynomials of degree {degree}",
            degree=plain["degree"],
        )
    )
    words = locale.say(
        "{knots} nœuds, {shape}, C = {c}",
        "{knots} knots, {shape}, C = {c}",
        knots=plain["n_knots"],
        shape=shape,
        c=locale.number(plain["c"]),
    )
    if not (pairs := plain.get("pairs")):
        return words
    named = ", ".join(f"{locale.label(first)} × {locale.label(second)}" for first, second in pairs)
    return locale.say(
        "{words}, avec les paires {pairs}", "{words}, with the pairs {pairs}", words=words, pairs=named
    )
