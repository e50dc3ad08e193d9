"""The sentences of predictions and what-ifs, in French and in English."""

from typing import Literal

from churn.core.language import DEFAULT_LANGUAGE, LANGUAGES, Language, Pair
from churn.dictionary.field import Field, Lever
from churn.i18n.numbers import number, percent

# How a what-if ends: whether the risk is below the threshold, and was before, and what would take it there.
Outcome = Literal["low", "still_low", "lowered", "suggested", "none"]


def language_of(accept_language: str) -> Language:
    """Return the language that an `Accept-Language` header prefers; French where it says neither."""
    best, best_weight = DEFAULT_LANGUAGE, 0.0
    for part in accept_language.split(","):
        tag, _, parameters = part.strip().partition(";")
        named, weight = tag.strip().lower().partition("-")[0], _weight(parameters)
        for language in LANGUAGES:
            if language == named and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


_LEAVES: Pair = ("Risque de départ élevé", "High risk of leaving")
_STAYS: Pair = ("Employé stable", "Stable employee")


def verdict(leaves: bool, language: Language) -> str:
    """Return the one-line message of a prediction."""
    return (_LEAVES if leaves else _STAYS)[language == "en"]


def reason(field: Field | None, value: object, contribution: float, language: Language) -> str:
    """Return why a field moves the risk, as a manager would say it; without a field, why all others do."""
    english = language == "en"
    if field is None:
        subject = "Other factors: their sum" if english else "Autres facteurs : leur somme"
    else:
        subject = f"{_label(field, language)}{quantity(field, value, language)},"
    if contribution == 0:
        effect = "no effect on" if english else "sans effet sur"
    elif contribution > 0:
        effect = "raises" if english else "augmente"
    else:
        effect = "lowers" if english else "diminue"
    return f"{subject} {effect} {'the risk' if english else 'le risque'}"


def _label(field: Field, language: Language) -> str:
    return field.label(language) + (": " if language == "en" else " : ")


def quantity(field: Field, value: object, language: Language) -> str:
    """Return a value as it reads in a sentence: translated, with its unit or its scale."""
    if isinstance(value, str):
        label = field.value_label(value, language)
        return label.lower() if field.everyday else label
    if not isinstance(value, int | float):
        return plain(value)
    amount = number(value, language)
    if field.maximum is not None and not field.unit:
        return f"{amount} {'of' if language == 'en' else 'sur'} {plain(field.maximum)}"
    if field.unit == "ans":
        # French counts from two, English from anything but one.
        if language == "en":
            return f"{amount} {'year' if value == 1 else 'years'}"
        return f"{amount} {'an' if value < 2 else 'ans'}"
    if language == "en" and field.unit in ("€", "%"):
        return f"€{amount}" if field.unit == "€" else f"{amount}%"
    return f"{amount} {field.unit}".rstrip()


def _share(probability: float, language: Language) -> str:
    """Return a probability as a whole percentage; a small one is never said to be none."""
    if probability < 0.01:
        return "less than 1%" if language == "en" else "moins de 1 %"
    return percent(probability, language)


def suggestion(
    field: Field, lever: Lever, values: tuple[object, object], probability: float, language: Language
) -> str:
    """Return what one change of a field, from one value to another, makes of the risk."""
    old, new = (quantity(field, value, language) for value in values)
    share = _share(probability, language)
    means = f" ({lever.means[language == 'en']})" if lever.means else ""
    if language == "en":
        return f"{_label(field, language)}going from {old} to {new}{means} brings the risk down to {share}"
    # The language elides before a vowel, but not before "oui".
    of = "d'" if old[0] in "aeiou" and old != "oui" else "de "
    return f"{_label(field, language)}passer {of}{old} à {new}{means} ramène le risque à {share}"


_OUTCOMES: dict[Outcome, Pair] = {
    "low": ("Déjà sous le seuil : aucun changement n'est nécessaire",
            "Already below the threshold: no change is needed"),
    "still_low": ("Sous le seuil avant comme après ces changements",
                  "Below the threshold before and after these changes"),
    "lowered": ("Ces changements suffisent à passer sous le seuil",
                "These changes suffice to fall below the threshold"),
    "suggested": ("Chacun des changements proposés suffit à lui seul à passer sous le seuil",
                  "Each of the suggested changes suffices alone to fall below the threshold"),
    "none": ("Aucun changement à lui seul ne suffit à passer sous le seuil",
             "No single change suffices to fall below the threshold"),
}  # fmt: skip


def outcome(kind: Outcome, language: Language) -> str:
    """Return the result of a what-if, in one line."""
    return _OUTCOMES[kind][language == "en"]


def difference(field: Field | None, before: object, after: object, language: Language) -> str:
    """Return how a field was changed; without a field, what all others do in sum."""
    if field is None:
        return "Other factors: their sum" if language == "en" else "Autres facteurs : leur somme"
    unknown = "unknown" if language == "en" else "inconnu"
    old, new = (unknown if value is None else quantity(field, value, language) for value in (before, after))
    return f"{_label(field, language)}{old} → {new}"


def out_of_range(field: Field, value: float, seen: tuple[float, float], language: Language) -> str:
    """Return the warning for a number that the training data did not cover."""
    low, high = plain(seen[0]), plain(seen[1])
    if language == "en":
        return f"{field.name} = {plain(value)}: outside the observed range ({low} – {high})"
    return f"{field.name} = {plain(value)} : hors de la plage observée ({low} – {high})"


def guessed(field: Field, value: object, language: Language) -> str:
    """Return the warning for a percentage whose notation left it in doubt."""
    if language == "en":
        return f'{field.name}: read as {plain(value)} %; write "{plain(value)} %" to be sure'
    return f'{field.name} : lu comme {plain(value)} % ; écrire "{plain(value)} %" pour lever le doute'


def implausible(smaller: Field, larger: Field, language: Language) -> str:
    """Return the warning for two fields that can hardly both be right."""
    if language == "en":
        return f"{smaller.name} and {larger.name}: implausible together, please check"
    return f"{smaller.name} et {larger.name} : peu plausibles ensemble, à vérifier"


def plain(value: object) -> str:
    """Return a value without needless decimals."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(round(value, 2))
    return str(value)


def unit(field: Field, language: Language) -> str:
    """Return the unit of a field as it stands beside a number; empty where it has none."""
    return {"ans": "years"}.get(field.unit, field.unit) if language == "en" else field.unit
