"""What a field may hold, as a part of a sentence for whoever sent something else."""

from datetime import date

from churn.core.language import Language, Pair
from churn.dictionary.field import Field
from churn.i18n.numbers import number

_NOUNS: dict[str, Pair] = {
    "integer": ("un entier", "an integer"),
    "number": ("un nombre", "a number"),
    "percent": ("un pourcentage", "a percentage"),
    "identifier": ("un entier", "an integer"),
}
_SOME_DAY = date(2019, 3, 31)
# What a field without a maximum accepts beside a number as such.
_ALSO: dict[str, Pair] = {
    "percent": (', comme 11 ou "11 %"', ', as 11 or "11 %"'),
    "identifier": (" ou un texte de 1 à 64 caractères", " or a text of 1 to 64 characters"),
}


def expected(field: Field, language: Language, *, too_large: bool = False) -> str:
    """Return what a field may hold; where a number was too large, how large it may be."""
    english = language == "en"
    if field.kind == "category":
        return ("one of: " if english else "") + ", ".join(field.categories)
    if field.kind == "date":
        written = _SOME_DAY.strftime(field.date_format)
        return f"a date, such as {written}" if english else f"une date, comme {written}"
    noun = _NOUNS[field.kind][english]
    if field.maximum is not None:
        low, high = (number(bound, language) for bound in (field.minimum or 0, field.maximum))
        return f"{noun} from {low} to {high}" if english else f"{noun} de {low} à {high}"
    sign, bound = ("≤", field.highest) if too_large else ("≥", field.minimum or 0)
    return f"{noun} {sign} {number(bound, language)}{_ALSO.get(field.kind, ('', ''))[english]}"
