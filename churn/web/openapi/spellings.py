"""How a value may be spelt beside its canonical form: the document's schemas take what the service does."""

import re
import unicodedata
from typing import Any

from churn.dictionary import domain, names
from churn.dictionary.domain import Field
from churn.schemas.employee import IDENTIFIER

# What may stand between the letters of a category, and around them: ASCII that is neither letter nor digit.
# (The service takes any number of any such character, up to its bound on the whole.)
_SIGN = r"[ -/:-@\[-`{-~]"
_BETWEEN, _BETWEEN_WORDS, _AROUND = f"{_SIGN}?", f"{_SIGN}{{0,3}}", f"{_SIGN}{{0,9}}"
# As a text: up to eleven digits before the point keep it below the largest number.
_PERCENT = r"^\s*([0-9]{1,11}([.,][0-9]*)?|[.,][0-9]+)\s*%?\s*$"

_BOUNDS = {"ge": "minimum", "le": "maximum"}
_ABOUT = ("title", "description", "default")

Schema = dict[str, Any]


def describe(properties: dict[str, Schema]) -> None:
    """Widen the schemas of an employee's fields, in place, to all that the service takes for a value."""
    for name, schema in properties.items():
        described = {key: value for key, value in schema.items() if key in _ABOUT}
        alone = {key: value for key, value in schema.items() if key not in _ABOUT}
        choices = alone.pop("anyOf", [alone])
        widened = [wider for choice in choices for wider in _widened(domain.BY_NAME[name], choice)]
        schema.clear()
        schema.update(described | (widened[0] if len(widened) == 1 else {"anyOf": widened}))


def passed_over() -> dict[str, Schema]:
    """Return the schema, by their names' pattern, of what a record may have beside its fields."""
    return {f"^({'|'.join(sorted(names.PASSED_OVER))})$": {"description": "read and dropped"}}


def _widened(field: Field, schema: Schema) -> list[Schema]:
    """Return what the service takes where it takes at least this."""
    # Pydantic calls the bounds of what may be null by its own words.
    schema = {_BOUNDS.get(key, key): value for key, value in schema.items()}
    kind = schema.get("type")
    if field.kind == "category" and kind == "string":
        return [schema, {"type": "string", "pattern": pattern(field)}]
    if field.kind == "percent" and kind == "number":
        return [schema, {"type": "string", "pattern": _PERCENT}]
    if field.kind == "identifier" and kind == "string":
        return [{**schema, "pattern": IDENTIFIER}]
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
    plain = domain.fold_name(letter)
    return "[" + "".join(sorted({letter.upper(), letter.lower(), plain.upper(), plain.lower()})) + "]"
