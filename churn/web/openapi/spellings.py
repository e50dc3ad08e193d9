"""How a value may be spelt beside its canonical form: the document's schemas take what the service does."""

import re
import unicodedata
from typing import Any

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.dictionary.folding import fold_name
from churn.schemas.identifier import IDENTIFIER_PATTERN
from churn.schemas.normalization import LONGEST_SPELLING

# What may stand between the letters of a category, and around them: ASCII that is neither letter nor digit.
# (The service takes any number of any such character, up to its bound on the whole.)
_SIGN = r"[ -/:-@\[-`{-~]"
_BETWEEN, _BETWEEN_WORDS, _AROUND = f"{_SIGN}?", f"{_SIGN}{{0,3}}", f"{_SIGN}{{0,9}}"
# As a text: up to eleven digits before the point keep it below the largest number.
_PERCENT = r"^\s*([0-9]{1,11}([.,][0-9]*)?|[.,][0-9]+)\s*%?\s*$"

_ABOUT = ("title", "description", "default")

Schema = dict[str, Any]


def describe(employee: Schema, dictionary: Dictionary) -> None:
    """Widen an employee's schema, in place, to all that the service takes for a name or a value."""
    for name, schema in employee["properties"].items():
        described = {key: value for key, value in schema.items() if key in _ABOUT}
        alone = {key: value for key, value in schema.items() if key not in _ABOUT}
        choices = alone.pop("anyOf", [alone])
        widened = [wider for choice in choices for wider in _widened(dictionary.by_name[name], choice)]
        schema.clear()
        schema.update(described | (widened[0] if len(widened) == 1 else {"anyOf": widened}))
    if passed_over := "|".join(sorted(dictionary.names.passed_over)):
        employee["patternProperties"] = {f"^({passed_over})$": {"description": "read and dropped"}}


def _widened(field: Field, schema: Schema) -> list[Schema]:
    """Return what the service takes where it takes at least this."""
    kind = schema.get("type")
    if field.other and kind == "string":
        return [schema, {"type": "string", "pattern": "[A-Za-z0-9]", "maxLength": LONGEST_SPELLING}]
    if field.kind == "category" and kind == "string":
        return [schema, {"type": "string", "pattern": pattern(field)}]
    if field.kind == "percent" and kind == "number":
        return [schema, {"type": "string", "pattern": _PERCENT}]
    if field.kind == "date" and kind == "number":
        return [schema, {"type": "string", "format": "date"}]
    if field.kind == "identifier" and kind == "string":
        return [{**schema, "pattern": IDENTIFIER_PATTERN}]
    if field.kind == "identifier" and kind == "integer":
        return [{**schema, "minimum": 0, "maximum": field.highest}]
    return [schema]


def pattern(field: Field) -> str:
    """Return the spellings of a category that are accepted: without regard to case, accents and signs."""
    spellings = {*field.categories, *field.value_aliases}
    return f"^{_AROUND}({'|'.join(sorted(_spelling(text) for text in spellings))}){_AROUND}$"


def _spelling(text: str) -> str:
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text))
    return _BETWEEN_WORDS.join(_BETWEEN.join(_letter(letter) for letter in word) for word in words)


def _letter(letter: str) -> str:
    plain = fold_name(letter)
    return "[" + "".join(sorted({letter.upper(), letter.lower(), plain.upper(), plain.lower()})) + "]"
