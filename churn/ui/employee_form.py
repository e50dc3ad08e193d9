"""The form of one employee: made from the company's dictionary, and read back into a record."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from churn.core.errors import FieldError, InvalidInputError
from churn.core.language import LANGUAGES, Language, Pair
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.i18n import messages, refusal_sentences
from churn.i18n.expectations import expected
from churn.i18n.numbers import number

MOST_CHOICES = 10  # whole numbers that are chosen from a list

_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_THOUSANDS = re.compile(r"-?\d{1,3}([.,]\d{3})+")
_NUMBER = re.compile(r"-?(\d+([.,]\d*)?|[.,]\d+)")

Values = Mapping[str, str]  # what was typed, by the names of fields


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as it is shown: `choices` are pairs of value and label; without any it is typed.

    `options` are the choices in HTML, by the value that is chosen: made once, as a form has so many of
    them that they would take half of its time.
    """

    name: str
    label: str
    hint: str
    unit: str
    value: str
    error: str
    is_required: bool
    is_number: bool
    choices: Sequence[tuple[str, str]]
    options: Mapping[str, Markup]

    @property
    def is_unlisted(self) -> bool:
        """Whether its value is none of the choices."""
        return self.value not in self.options

    @property
    def described_by(self) -> str:
        """The ids of the texts that explain it, with spaces between them."""
        hint = f"{self.name}-hint" if self.hint and not self.choices else ""
        return f"{self.name}-error {hint}".rstrip() if self.error else hint


@dataclass(frozen=True, slots=True)
class FormGroup:
    """Fields that belong together; folded where none of them is required, given or wrong."""

    title: str
    note: str
    fields: Sequence[FormField]

    @property
    def is_open(self) -> bool:
        """Whether its fields are shown at once."""
        return any(field.is_required or field.value or field.error for field in self.fields)


class EmployeeForm:
    """Shows and reads the employees of one company."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._empty = {language: [*self._empty_groups(language)] for language in LANGUAGES}

    def groups(self, language: Language, values: Values, errors: Values) -> list[FormGroup]:
        """Return the fields with what was typed: the required ones first, others by source."""
        return [
            FormGroup(group.title, group.note, [_filled(field, values, errors) for field in group.fields])
            for group in self._empty[language]
        ]

    def _empty_groups(self, language: Language) -> Iterator[FormGroup]:
        core = self._dictionary.core
        yield _empty_group(("Indispensable", "Required"), core, language)
        for extract in self._dictionary.extracts:
            fields = [
                field
                for field in self._dictionary.features
                if field.extract == extract.name and field not in core
            ]
            if fields:
                yield _empty_group(extract.labels, fields, language)
        last = [self._dictionary.identifier, *self._dictionary.protected]
        about = (
            "Le matricule permet de retrouver la prédiction. Les autres champs ne servent qu'à vérifier que "
            "le modèle est équitable.",
            "The employee id helps to find the prediction again. The other fields only serve to check that "
            "the model is fair.",
        )
        yield _empty_group(("Pour le suivi et l'équité", "For follow-up and fairness"), last, language, about)

    def labels(self, language: Language) -> dict[str, str]:
        """Return what the fields are called, by name."""
        return {field.name: field.label(language) for field in self._dictionary.inputs}

    def record(self, values: Values) -> dict[str, object]:
        """Return what was typed as a record to be validated; what is empty is left out.

        A text that is no number stays one, for the validation to refuse.
        """
        return {
            field.name: _value(field, text)
            for field in self._dictionary.inputs
            if (text := values.get(field.name, "").strip())
        }

    def question(self, before: Values, after: Values) -> dict[str, object]:
        """Return what to ask `/what_if`: the employee, and what differs; None is unknown from now on."""
        employee, changed = self.record(before), self.record(after)
        identifier = self._dictionary.identifier.name
        changes = {
            name: changed.get(name)
            for name in (*employee, *changed)
            if changed.get(name) != employee.get(name) and name != identifier
        }
        return {"employee": employee, "changes": changes}

    def values(self, record: Mapping[str, object], language: Language) -> dict[str, str]:
        """Return a record as it would be typed."""
        return {name: _typed(value, language) for name, value in record.items() if value is not None}

    def errors(self, error: InvalidInputError, values: Values, language: Language) -> dict[str, str]:
        """Return what is wrong, by field; under the empty name what is wrong with no field in particular."""
        found: dict[str, str] = {}
        for entry in error.errors:
            name = entry.field or ""
            if entry.kind == "number_type" and _is_ambiguous(values.get(name, "")):
                entry = FieldError(entry.loc, "ambiguous_number")
            field = self._dictionary.by_name.get(name)
            if field is not None and field.kind == "category" and entry.expected is not None:
                entry = replace(entry, expected=_in_words(field))
            found.setdefault(name, refusal_sentences.field_error(entry, language))
        return found


def _empty_group(
    titles: Pair, fields: Sequence[Field], language: Language, notes: Pair = ("", "")
) -> FormGroup:
    english = language == "en"
    return FormGroup(titles[english], notes[english], [_empty(field, language) for field in fields])


def _empty(field: Field, language: Language) -> FormField:
    # Without a maximum there is little to say that the label does not; of a date, how to write it.
    is_date, is_required = field.kind == "date", field.role == "core"
    choices = _choices(field, language)
    none = (("À choisir", "Choose") if is_required else ("Inconnu", "Unknown"))[language == "en"]
    offered = [("", none), *choices]
    hint = expected(field, language) if is_date or field.maximum is not None else ""
    return FormField(
        name=field.name,
        label=field.label(language),
        hint=hint,
        unit="" if is_date else messages.unit(field, language),
        value="",
        error="",
        is_required=is_required,
        is_number=field.numeric and not is_date,
        choices=choices,
        options={chosen: _options(offered, chosen) for chosen, _ in offered},
    )


def _filled(field: FormField, values: Values, errors: Values) -> FormField:
    value, error = values.get(field.name, ""), errors.get(field.name, "")
    return replace(field, value=value, error=error) if value or error else field


def _choices(field: Field, language: Language) -> list[tuple[str, str]]:
    if field.kind == "category":
        return [(category, field.value_label(category, language)) for category in field.categories]
    if field.kind != "integer" or field.maximum is None or field.minimum is None:
        return []
    low, high = int(field.minimum), int(field.maximum)
    return [(str(n), number(n, language)) for n in range(low, high + 1)] if high - low < MOST_CHOICES else []


def _options(choices: Sequence[tuple[str, str]], chosen: str) -> Markup:
    option, selected = Markup('<option value="{}"{}>{}</option>\n'), Markup(" selected")
    return Markup().join(
        option.format(value, selected if value == chosen else "", label) for value, label in choices
    )


def _in_words(field: Field) -> Pair:
    """Return the categories as the form calls them; the API's callers know them as they are in the data."""
    french, english = (", ".join(label for _, label in _choices(field, language)) for language in LANGUAGES)
    return french, f"one of: {english}"


def _value(field: Field, text: str) -> object:
    if field.kind == "percent":
        return text if text.endswith("%") else f"{text} %"  # the form says so: it is never a fraction
    if field.kind == "identifier":
        return int(text) if text.isascii() and text.isdigit() else text
    if not field.numeric:
        return text
    digits = _SPACES.sub("", text)
    if _is_ambiguous(digits) or not _NUMBER.fullmatch(digits):
        return text
    value = float(digits.replace(",", "."))
    return int(value) if value.is_integer() else value


def _is_ambiguous(text: str) -> bool:
    """Return whether a point or comma in a number may part thousands, or decimals: nobody can tell."""
    return _THOUSANDS.fullmatch(_SPACES.sub("", text)) is not None


def _typed(value: object, language: Language) -> str:
    if isinstance(value, float):
        value = int(value) if value.is_integer() else value
        return str(value).replace(".", "," if language == "fr" else ".")
    return str(value)
