"""Which dictionary the service speaks: that of the model which it will serve.

The service needs it when it is imported, before it starts: its routes, schemas and pages are made of it.
"""

from collections.abc import Sequence
from dataclasses import replace

from churn.core import settings
from churn.core.errors import ChurnError, ModelError, SettingsError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.differences import Difference, differences
from churn.model import listing, promotions, registry

MOST_NAMED = 6  # fields, of those that change


def served_dictionary(otherwise: Dictionary) -> Dictionary:
    """Return the dictionary of the model that the settings name, or that is promoted.

    It is `otherwise` where there is no such model, as where a Bento may be built, or it cannot be read.
    Nothing is said of that here: whoever prepares a start refuses one without a model, in a sentence.
    """
    try:
        return dictionary_of(settings.load().model, otherwise) or otherwise
    except SettingsError:
        return otherwise


def dictionary_of(tag: str, otherwise: Dictionary) -> Dictionary | None:
    """Return the dictionary of a model, as `registry.resolve` understands its tag; None where there is none.

    That of a model which was exported without one is `otherwise`.
    """
    try:
        return registry.dictionary_in(registry.locate(tag)[1], otherwise)
    except (ChurnError, OSError, KeyError, ValueError, TypeError):
        return None


def journalled_dictionary(otherwise: Dictionary) -> Dictionary:
    """Return a dictionary with the fields of all models in the store: what a journal's records may hold.

    The model that serves comes first, and decides what a field is that others have, too.
    """
    served = served_dictionary(otherwise)
    found = (dictionary_of(model.tag, otherwise) for model in listing.listed(registry.home()))
    others = {
        field.name: field
        for dictionary in filter(None, found)
        for field in dictionary.inputs
        if field.name not in served.by_name
    }
    return replace(served, fields=(*served.fields, *others.values()))


def api_changes(tag: str, otherwise: Dictionary) -> list[Difference]:
    """Return what changes in the API where a model is promoted after the one that is promoted now.

    Nothing does where none is, or that one cannot be read.
    """
    current = promotions.promoted(registry.home())
    before = dictionary_of(current, otherwise) if current else None
    after = dictionary_of(tag, otherwise)
    if before is None or after is None:
        return []
    return [difference for difference in differences(before, after) if difference.effect]


def require_same_api(tag: str, changes: Sequence[Difference]) -> None:
    """Accept a model that changes nothing in the API.

    Raises:
        ModelError: it changes something.
    """
    if changes:
        fields = list(dict.fromkeys(change.field for change in changes))
        more = [f"{len(fields) - MOST_NAMED} more"] if len(fields) > MOST_NAMED else []
        named = ", ".join((*fields[:MOST_NAMED], *more))
        raise ModelError(
            f"to promote {tag} changes the API ({named}): tell whoever calls it, and then run "
            f"`churn model promote {tag} --accept-changed-api`"
        )
