"""The form of a review: what may be chosen in it, in words, and how it is read."""

from collections.abc import Mapping
from typing import TypeVar

from churn.core.errors import InvalidInputError
from churn.core.language import Language, Pair
from churn.i18n import messages
from churn.schemas.review import Action, ReviewInput, Verdict
from churn.web.endpoints.reviews import check_review

Choice = TypeVar("Choice", Verdict, Action)

FIELDS = ("verdict", "action", "comment")

VERDICTS: Mapping[Verdict, Pair] = {
    "agree": ("D'accord", "I agree"),
    "disagree": ("Pas d'accord", "I disagree"),
}
ACTIONS: Mapping[Action, Pair] = {
    "none": ("Aucune", "None"),
    "interview": ("Entretien", "Interview"),
    "workload": ("Charge de travail", "Workload"),
    "pay": ("Rémunération", "Pay"),
    "training": ("Formation", "Training"),
    "career": ("Évolution ou mobilité", "Career or mobility"),
    "working_conditions": ("Conditions de travail", "Working conditions"),
    "other": ("Autre", "Other"),
}
# As somebody else reads it.
GIVEN: Mapping[Verdict, Pair] = {
    "agree": ("D'accord", "Agrees"),
    "disagree": ("Pas d'accord", "Disagrees"),
}


def in_words(choices: Mapping[Choice, Pair], language: Language) -> dict[Choice, str]:
    """Return choices with their labels in one language."""
    return {name: labels[language == "en"] for name, labels in choices.items()}


def read(values: Mapping[str, str]) -> ReviewInput:
    """Return the review that was typed; what is empty is left out.

    Raises:
        InvalidInputError: it is none; one entry per offending field.
    """
    return check_review({name: text for name in FIELDS if (text := values.get(name, ""))})


def errors_of(error: InvalidInputError, language: Language) -> dict[str, str]:
    """Return what is wrong, by field."""
    return {str(entry.loc[-1]): messages.field_error(entry, language) for entry in error.errors}
