"""What a field may hold, as a sentence for whoever sent something else."""

from churn.dictionary.domain import Field, Language
from churn.i18n.numbers import number

# (English, French) of the kinds that are numbers.
_NOUNS = {
    "integer": ("an integer", "un entier"),
    "number": ("a number", "un nombre"),
    "percent": ("a percentage", "un pourcentage"),
    "identifier": ("an integer", "un entier"),
}


def expected(field: Field, language: Language, *, too_large: bool = False) -> str:
    """Return what a field may hold; where a number was too large, how large it may be."""
    english = language == "en"
    return ("expected " if english else "attendu : ") + _form(field, language, too_large)


def _form(field: Field, language: Language, too_large: bool) -> str:
    english = language == "en"
    if field.kind == "category":
        return ("one of: " if english else "") + ", ".join(field.categories)
    noun = _NOUNS[field.kind][not english]
    if field.maximum is not None:
        low, high = (number(bound, language) for bound in (field.minimum or 0, field.maximum))
        return f"{noun} from {low} to {high}" if english else f"{noun} de {low} à {high}"
    sign, bound = ("≤", field.highest) if too_large else ("≥", field.minimum or 0)
    return f"{noun} {sign} {number(bound, language)}{_also(field, english)}"


def _also(field: Field, english: bool) -> str:
    """Return what a field without a maximum takes beside a number as such."""
    if field.kind == "identifier":
        return " or a text of 1 to 64 characters" if english else " ou un texte de 1 à 64 caractères"
    if field.kind == "percent":
        return ', as 11 or "11 %"' if english else ', comme 11 ou "11 %"'
    return ""
