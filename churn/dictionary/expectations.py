"""What a field may hold, as a sentence for whoever sent something else."""

from churn.dictionary.domain import Field, Language

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
    return ("expected " if english else "attendu : ") + _form(field, english, too_large)


def _form(field: Field, english: bool, too_large: bool) -> str:
    if field.kind == "category":
        return ("one of: " if english else "") + ", ".join(field.categories)
    noun = _NOUNS[field.kind][not english]
    if field.maximum is not None:
        low, high = (grouped(bound, english) for bound in (field.minimum or 0, field.maximum))
        return f"{noun} from {low} to {high}" if english else f"{noun} de {low} à {high}"
    sign, bound = ("≤", field.highest) if too_large else ("≥", field.minimum or 0)
    return f"{noun} {sign} {grouped(bound, english)}{_also(field, english)}"


def _also(field: Field, english: bool) -> str:
    """Return what a field without a maximum takes beside a number as such."""
    if field.kind == "identifier":
        return " or a text of 1 to 64 characters" if english else " ou un texte de 1 à 64 caractères"
    if field.kind == "percent":
        return ', as 11 or "11 %"' if english else ', comme 11 ou "11 %"'
    return ""


def grouped(number: float, english: bool) -> str:
    """Return a number to two decimals, its thousands grouped."""
    # Not by a format for floats: the largest identifier has more digits than they keep.
    text = f"{number:,}" if isinstance(number, int) else f"{round(number, 2):,.15g}"
    return text if english else text.replace(",", " ").replace(".", ",")
