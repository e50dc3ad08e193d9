"""Reviews in words: what may be chosen, and what was expected where something else was given."""

from collections.abc import Mapping

from churn.core.language import Language, Pair

Labels = Mapping[str, Pair]

# As the one says it who chooses.
VERDICTS: Labels = {
    "agree": ("D'accord", "I agree"),
    "disagree": ("Pas d'accord", "I disagree"),
}
# As somebody else reads it.
GIVEN: Labels = {
    "agree": ("D'accord", "Agrees"),
    "disagree": ("Pas d'accord", "Disagrees"),
}
ACTIONS: Labels = {
    "none": ("Aucune", "None"),
    "interview": ("Entretien", "Interview"),
    "workload": ("Charge de travail", "Workload"),
    "pay": ("Rémunération", "Pay"),
    "training": ("Formation", "Training"),
    "career": ("Évolution ou mobilité", "Career or mobility"),
    "working_conditions": ("Conditions de travail", "Working conditions"),
    "other": ("Autre", "Other"),
}
# By field.
EXPECTED: Labels = {
    "verdict": (" ou ".join(VERDICTS), " or ".join(VERDICTS)),
    "action": (
        f"null ou l'une de ces actions : {', '.join(ACTIONS)}",
        f"null or one of these actions: {', '.join(ACTIONS)}",
    ),
    "comment": (
        "null ou un texte de 2 000 caractères au plus",
        "null or a text of at most 2,000 characters",
    ),
}


def in_words(choices: Labels, language: Language) -> dict[str, str]:
    """Return choices with their labels in one language."""
    return {name: labels[language == "en"] for name, labels in choices.items()}
