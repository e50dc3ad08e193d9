"""What people write in files for a value of any company's field: nothing, yes and no, a woman and a man."""

import re

from churn.dictionary.field import Field
from churn.dictionary.folding import fold_value

_MISSING = {
    "na",
    "n/a",
    "n.a.",
    "#n/a",
    "#na",
    "<na>",
    "null",
    "(null)",
    "nan",
    "none",
    "nil",
    "-",
    "--",
    "—",
    "–",
}
_MISSING |= {
    "nd",
    "n.d.",
    "nr",
    "n.r.",
    "non renseigné",
    "non renseignée",
    "non renseigne",
    "inconnu",
    "inconnue",
}
_MISSING |= {"unknown", "missing"}
# Two words that exclude each other, each in several spellings, folded.
_PAIRS = (
    (
        frozenset(("oui", "o", "yes", "y", "vrai", "true", "1")),
        frozenset(("non", "n", "no", "faux", "false", "0")),
    ),
    (
        frozenset(("f", "femme", "femmes", "feminin", "female", "woman", "women")),
        frozenset(("m", "h", "homme", "hommes", "masculin", "male", "man", "men")),
    ),
)
_ONE_OR_ZERO = re.compile(r"([01])[.,]0+")  # where a spreadsheet made numbers of them
# For Python and for Arrow.
TOTAL = (
    r"^(?i:(?:sous[- ]?|sub-?|grand )?(?:total|totaux|totals|somme|sum|moyenne|average|mean))"
    r"(?:[^-_0-9A-Za-z]|$)"
)


def is_missing(field: Field, text: str) -> bool:
    """Return whether a text says that the field's value is not known; never what is a value of the field."""
    if text.strip().lower() not in _MISSING:
        return False
    key = fold_value(text)
    labels = {fold_value(label) for pair in field.value_labels.values() for label in pair}
    return not key or (key not in labels and field.category(text) is None)


def category(field: Field, text: str) -> str | None:
    """Return the category that a text can only mean, by its own spellings, its labels or a usual word.

    None where it means none, or could mean several.
    """
    if (own := field.category(text)) is not None:
        return own
    if text.strip().lower() in _MISSING:
        return None
    one_or_zero = _ONE_OR_ZERO.fullmatch(text.strip())
    key = one_or_zero[1] if one_or_zero else fold_value(text)
    meant = {
        name for name, labels in field.value_labels.items() if key in {fold_value(label) for label in labels}
    }
    meant |= set(_usual(field, key))
    return meant.pop() if len(meant) == 1 else None


def _usual(field: Field, key: str) -> list[str]:
    """Return the categories of a field of two that a word stands for."""
    for words in _PAIRS:
        sides = {name: side for name in field.categories for side in words if fold_value(name) in side}
        if len(field.categories) == len(sides) == len(set(sides.values())) == len(words):
            return [name for name, side in sides.items() if key in side]
    return []


def is_total(text: str) -> bool:
    """Return whether a text heads a row of totals or averages, and names nobody."""
    return re.match(TOTAL, text.strip()) is not None
