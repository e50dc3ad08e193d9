"""A dictionary as a plain document, as TOML and JSON hold it: from one to the other.

Nothing is checked here: `churn.dictionary.dictionary_file` does that for files that people write, and what
comes with the software or with a model was checked before.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from churn.core.errors import DictionaryError
from churn.core.language import Pair
from churn.dictionary.dictionary import Dictionary, Extract
from churn.dictionary.field import ISO_DATE, Field, Lever
from churn.dictionary.folding import fold_value

FORMAT = 1  # of the documents that this version writes, and the newest that it reads
IDENTIFIER = "employee_id"
ID = "{id}"  # stands for the employee's number in the pattern of a source
YES_NO = ("Yes", "No")
_SPELLINGS_OF_YES = ("Yes", "Y", "Oui", "O", "True", "Vrai", "1")
_SPELLINGS_OF_NO = ("No", "N", "Non", "False", "Faux", "0")

Document = Mapping[str, Any]


def is_newer(document: Document) -> bool:
    """Return whether a later version of the software wrote a document."""
    found = document.get("format", FORMAT)
    return isinstance(found, int) and found > FORMAT


def from_document(document: Document) -> Dictionary:
    """Return the dictionary of a document that was checked.

    Raises:
        DictionaryError: a later version of the software wrote it.
    """
    name = document.get("name", "")
    if is_newer(document):
        raise DictionaryError(
            f"the dictionary {name!r} has format {document['format']}, and this version of churn reads "
            f"{FORMAT}: install a newer churn"
        )
    sources = document.get("sources") or {name: {"file": name, "id_column": IDENTIFIER}}
    [first, *_] = sources
    entries: dict[str, Document] = {
        field: {"source": first, **entry} for field, entry in document["fields"].items()
    }
    if not any(entry.get("role") == "identifier" for entry in entries.values()):
        entries = {IDENTIFIER: {"source": first, "role": "identifier", **_OF_IDENTIFIER}, **entries}
    examples = {
        which: {field: str(value) if isinstance(value, date) else value for field, value in example.items()}
        for which, example in document.get("examples", {}).items()
    }
    return Dictionary(
        fields=tuple(_field(*item) for item in entries.items() if item[1].get("role") != "ignored"),
        left=next(entry["positive"] for entry in entries.values() if entry.get("role") == "target"),
        extracts=tuple(_extract(source, given, entries) for source, given in sources.items()),
        implausible=tuple(
            (pair["smaller"], pair["larger"], pair.get("margin", 0))
            for pair in document.get("implausible", ())
        ),
        levers={field: _lever(given) for field, given in document.get("levers", {}).items()},
        audited=tuple(document.get("audited", ())),
        example=examples.get("leaver", {}),
        calm_example=examples.get("stayer", {}),
        example_changes=examples.get("changes", {}),
        name=name,
    )


_OF_IDENTIFIER = {"labels": {"fr": "Matricule", "en": "Employee id"}}


def _field(name: str, entry: Document) -> Field:
    labels, role = entry.get("labels", {}), entry.get("role", "optional")
    kind: Any = "identifier" if role == "identifier" else entry["kind"]
    categories = tuple(entry.get("categories", YES_NO if kind == "yes/no" else ()))
    learned = entry.get("learned", {})
    reference = entry.get("reference")
    return Field(
        name=name,
        extract=entry["source"],
        kind="category" if kind == "yes/no" else kind,
        role=role,
        labels=_pair(labels, name),
        minimum=entry.get("minimum", None if kind in ("category", "yes/no") else 0),
        maximum=entry.get("maximum"),
        unit=entry.get("unit", {"percent": "%", "date": "ans"}.get(kind, "")),
        categories=categories,
        aliases=(*entry.get("aliases", ()), *_others(labels)),
        value_aliases=dict(_value_aliases(kind, categories, entry)),
        value_labels={value: _pair(texts, value) for value, texts in entry.get("value_labels", {}).items()},
        everyday=entry.get("everyday", False),
        groups={group: (low, high) for group, (low, high) in entry.get("groups", {}).items()},
        caution=_pair(entry["caution"]) if "caution" in entry else None,
        range_reason=_pair(entry["reason"]) if "reason" in entry else None,
        minimum_count=learned.get("minimum_count", 0),
        other=learned.get("other", ""),
        reference=date.fromisoformat(str(reference)) if reference else None,
        date_format=entry.get("date_format", ISO_DATE),
    )


def _value_aliases(kind: str, categories: tuple[str, ...], entry: Document) -> Iterator[tuple[str, str]]:
    """Yield the folded spellings of values that are not the canonical ones, each with that one."""
    if kind == "yes/no":
        for value, spellings in zip(categories, (_SPELLINGS_OF_YES, _SPELLINGS_OF_NO), strict=True):
            yield from ((fold_value(spelling), value) for spelling in spellings)
    for value, texts in entry.get("value_labels", {}).items():
        yield from ((fold_value(text), value) for text in _others(texts))
    for value, spellings in entry.get("value_aliases", {}).items():
        yield from ((fold_value(spelling), value) for spelling in spellings)


def _pair(texts: Mapping[str, str], default: str | None = None) -> Pair:
    """Return the French and the English text; where one is not given, the name, or else any other text."""
    other = next(iter(texts.values()), "") if default is None else default
    return texts.get("fr", other), texts.get("en", other)


def _others(texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the texts in languages that nobody is spoken to in: spellings that are accepted all the same."""
    return tuple(text for language, text in texts.items() if language not in ("fr", "en"))


def _extract(name: str, given: Document, entries: Mapping[str, Document]) -> Extract:
    prefix = given.get("id", ID).removesuffix(ID)
    padded = ", padded with zeros or not" if given.get("zero_padded") else ""
    ignored = (
        field for field, entry in entries.items() if (entry.get("role"), entry["source"]) == ("ignored", name)
    )
    return Extract(
        name,
        given["file"],
        given["id_column"],
        prefix,
        f"{prefix} and the employee's number{padded}" if prefix else f"the employee's number{padded}",
        tuple(ignored),
        _pair(given.get("labels", {"fr": "Autres renseignements", "en": "Other details"}), given["file"]),
    )


def _lever(given: Document) -> Lever:
    plain = {key: given[key] for key in ("step", "factor", "reset") if key in given}
    means = _pair(given["means"]) if "means" in given else None
    return Lever(**plain, order=tuple(given.get("order", ())), means=means)


def to_document(dictionary: Dictionary) -> dict[str, Any]:
    """Return a dictionary as a document: what `from_document` reads."""
    ignored = {
        name: {"role": "ignored", "source": extract.name}
        for extract in dictionary.extracts
        for name in extract.constant_columns
    }
    fields = {field.name: _plain_field(field, dictionary) for field in dictionary.fields}
    examples = {
        "leaver": dictionary.example,
        "stayer": dictionary.calm_example,
        "changes": dictionary.example_changes,
    }
    return {
        "format": FORMAT,
        "name": dictionary.name,
        "audited": list(dictionary.audited),
        "sources": {extract.name: _plain_extract(extract) for extract in dictionary.extracts},
        "fields": fields | ignored,
        "implausible": [
            {"smaller": smaller, "larger": larger, "margin": margin}
            for smaller, larger, margin in dictionary.implausible
        ],
        "levers": {name: _plain_lever(lever) for name, lever in dictionary.levers.items()},
        "examples": {name: dict(example) for name, example in examples.items() if example},
    }


def _plain_field(field: Field, dictionary: Dictionary) -> dict[str, Any]:
    aliases: dict[str, list[str]] = {}
    for spelling, value in field.value_aliases.items():
        aliases.setdefault(value, []).append(spelling)
    plain = {
        "source": field.extract,
        "kind": field.kind,
        "role": field.role,
        "labels": _texts(field.labels),
        "minimum": field.minimum,
        "maximum": field.maximum,
        "reason": _texts(field.range_reason),
        "unit": field.unit,
        "categories": list(field.categories),
        "learned": {"minimum_count": field.minimum_count, "other": field.other}
        if field.minimum_count
        else {},
        "positive": dictionary.left if field.role == "target" else "",
        "aliases": list(field.aliases),
        "value_aliases": aliases,
        "value_labels": {value: _texts(pair) for value, pair in field.value_labels.items()},
        "everyday": field.everyday,
        "groups": {name: list(ends) for name, ends in field.groups.items()},
        "caution": _texts(field.caution),
        "reference": field.reference.isoformat() if field.reference else "",
        "date_format": field.date_format if field.kind == "date" else "",
    }
    return {key: value for key, value in plain.items() if value or type(value) in (int, float)}


def _plain_extract(extract: Extract) -> dict[str, Any]:
    return {
        "file": extract.file,
        "id_column": extract.id_column,
        "id": extract.id_prefix + ID,
        "zero_padded": "padded" in extract.id_form,
        "labels": _texts(extract.labels),
    }


def _plain_lever(lever: Lever) -> dict[str, Any]:
    plain = {"step": lever.step, "order": list(lever.order), "means": _texts(lever.means)}
    plain = {key: value for key, value in plain.items() if value}
    if lever.factor != Lever().factor:
        plain["factor"] = lever.factor
    if lever.reset is not None:
        plain["reset"] = lever.reset
    return plain


def _texts(pair: Pair | None) -> dict[str, str]:
    return dict(zip(("fr", "en"), pair, strict=True)) if pair else {}
