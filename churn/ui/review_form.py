"""The form of a review, and how it is read."""

from collections.abc import Mapping

from churn.core.errors import InvalidInputError
from churn.core.language import Language
from churn.i18n import refusal_sentences
from churn.schemas.review import ReviewInput
from churn.web.endpoints.reviews import check_review

FIELDS = ("verdict", "action", "comment")


def labels(language: Language) -> dict[str, str]:
    """Return what the fields are called, by name."""
    english = language == "en"
    return {
        "verdict": "Your opinion" if english else "Votre avis",
        "action": "What was done" if english else "Action menée",
        "comment": "Why" if english else "Pourquoi",
    }


def read(values: Mapping[str, str]) -> ReviewInput:
    """Return the review that was typed; what is empty is left out.

    Raises:
        InvalidInputError: it is none; one entry per offending field.
    """
    return check_review({name: text for name in FIELDS if (text := values.get(name, ""))})


def errors_of(error: InvalidInputError, language: Language) -> dict[str, str]:
    """Return what is wrong, by field."""
    return {str(entry.loc[-1]): refusal_sentences.field_error(entry, language) for entry in error.errors}
