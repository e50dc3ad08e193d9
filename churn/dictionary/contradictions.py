"""What in a dictionary contradicts what: each place with a sentence that says so, and how to mend it.

The document's keys and types were checked before (`churn.dictionary.file_schema`).
"""

from collections.abc import Iterator, Mapping
from datetime import date

from churn.dictionary import field_contradictions
from churn.dictionary.field import ISO_DATE, LARGEST_IDENTIFIER, Field
from churn.dictionary.folding import fold_name, fold_value
from churn.dictionary.plain_dictionary import ID, IDENTIFIER, YES_NO, Document

Finding = tuple[tuple[str | int, ...], str]
Fields = Mapping[str, Document]

_NUMBERS = ("number", "integer", "percent", "date")


def contradictions(document: Document) -> Iterator[Finding]:
    """Yield every contradiction."""
    fields: Fields = document["fields"]
    for name, field in fields.items():
        for place, sentence in field_contradictions.of(name, field):
            yield ("fields", name, *place), sentence
    yield from _roles(fields)
    yield from _names(fields)
    yield from _sources(document)
    yield from _audited(document)
    yield from _implausible(document)
    yield from _levers(document)
    yield from _examples(document)


def _roles(fields: Fields) -> Iterator[Finding]:
    having = {
        role: [name for name, field in fields.items() if field.get("role", "optional") == role]
        for role in ("core", "optional", "identifier", "target")
    }
    if not having["target"]:
        yield (
            ("fields",),
            ('no field is the target: give the one that says who has left role = "target" and positive = …'),
        )
    for role in ("target", "identifier"):
        for name in having[role][1:]:
            yield (
                ("fields", name, "role"),
                (f"{having[role][0]} is the {role} already: keep one, and give the other another role"),
            )
    for name in having["identifier"]:
        if name != IDENTIFIER:
            yield (
                ("fields", name),
                (
                    f"the identifier is called {IDENTIFIER}, under which the journal hides who it is: "
                    f'write [fields.{IDENTIFIER}] with aliases = ["{name}"]'
                ),
            )
    if not having["core"] and not having["optional"]:
        yield ("fields",), 'there is nothing to learn from: give a field the role "core" or "optional"'


def _names(fields: Fields) -> Iterator[Finding]:
    """Find names, aliases and labels that two fields have, as people may write them."""
    seen: dict[str, tuple[str, str]] = {}
    for name, field in fields.items():
        labels = field.get("labels", {})
        spellings = [((), name), *(((key,), alias) for key, alias in _spelled(field, labels))]
        for place, spelling in spellings:
            folded = fold_name(spelling)
            if not folded:
                yield ("fields", name, *place), f"{spelling!r} has no letter or digit: name it otherwise"
                continue
            owner, as_ = seen.setdefault(folded, (name, spelling))
            if owner != name:
                same = "" if as_ == spelling else f" (written {as_!r} there)"
                yield (
                    ("fields", name, *place),
                    (f"{spelling!r} also names {owner}{same}: give each field names and labels of its own"),
                )


def _spelled(field: Document, labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from (("aliases", alias) for alias in field.get("aliases", ()))
    yield from (("labels", label) for label in labels.values())


def _sources(document: Document) -> Iterator[Finding]:
    sources, fields = document.get("sources", {}), document["fields"]
    files: dict[str, str] = {}
    named = {fold_name(name): name for name, field in fields.items() if field.get("role") != "identifier"}
    for name, source in sources.items():
        pattern = source.get("id", ID)
        if pattern.count(ID) != 1 or not pattern.endswith(ID):
            yield (
                ("sources", name, "id"),
                (f'{pattern!r} does not say where the number stands: end it with {ID}, as in "E_{ID}"'),
            )
        first = files.setdefault(source["file"].casefold(), name)
        if first != name:
            yield (
                ("sources", name, "file"),
                f"{first} has the same file: name another, or join the two sources",
            )
        if (field := named.get(fold_name(source["id_column"]))) is not None:
            yield (
                ("sources", name, "id_column"),
                (f"{field} is a field: name the column that says who the employee is"),
            )
    for name, field in fields.items():
        source = field.get("source")
        if source is None and len(sources) > 1:
            yield ("fields", name), f"no source: say which one has it, {_one_of(sources)}"
        elif source is not None and source not in (sources or {document["name"]}):
            known = f"expected {_one_of(sources)}" if sources else "leave the key out, or write [sources]"
            yield ("fields", name, "source"), f"{source!r} is no source: {known}"


def _audited(document: Document) -> Iterator[Finding]:
    fields = document["fields"]
    for place, name in enumerate(document.get("audited", ())):
        field = fields.get(name)
        if field is None or field.get("role") in ("identifier", "ignored", "target"):
            yield ("audited", place), f"{name!r} is no field that employees have: name one of [fields]"
        elif field.get("kind") in _NUMBERS and not field.get("groups"):
            yield (
                ("audited", place),
                (
                    f"{name} is a number, and fairness is measured by groups: "
                    f'write groups = {{ "18–39" = [18, 39], … }} in [fields.{name}]'
                ),
            )


def _implausible(document: Document) -> Iterator[Finding]:
    fields = document["fields"]
    for place, pair in enumerate(document.get("implausible", ())):
        for key in ("smaller", "larger"):
            if fields.get(pair[key], {}).get("kind") not in _NUMBERS:
                yield (
                    ("implausible", place, key),
                    (f"{pair[key]!r} is no number among the fields: name one, or take the pair out"),
                )
        if pair["smaller"] == pair["larger"]:
            yield ("implausible", place), "both are the same field: name two"


def _levers(document: Document) -> Iterator[Finding]:
    for name, lever in document.get("levers", {}).items():
        field = document["fields"].get(name)
        if field is None:
            yield ("levers", name), f"{name!r} is no field: name one of [fields], or take the lever out"
            continue
        role = field.get("role", "optional")
        if role not in ("core", "optional"):
            yield (
                ("levers", name),
                (f"{name} has the role {role!r}: an employer does not change it, so take the lever out"),
            )
            continue
        sentence = _of_lever(lever, field)
        if sentence:
            yield ("levers", name), sentence


def _of_lever(lever: Document, field: Document) -> str:
    if field.get("kind") in _NUMBERS:
        if "order" in lever:
            return "a number has no order: say by which step it changes, or to what it is reset"
        return "" if lever.get("step") or "reset" in lever else "say step = … (not 0) or reset = …"
    if lever.keys() & {"step", "reset", "factor"}:
        return 'a category has no steps: say order = ["from", "to"]'
    categories = field.get("categories", YES_NO)
    unknown = [value for value in lever.get("order", ()) if value not in categories]
    if unknown and not field.get("learned"):
        return f"{unknown[0]!r} is no category of the field: expected {_one_of(categories)}"
    return (
        "" if len(set(lever.get("order", ()))) > 1 else 'say order = ["from", "to"], two categories or more'
    )


def _examples(document: Document) -> Iterator[Finding]:
    fields = document["fields"]
    for which, example in document.get("examples", {}).items():
        for name, value in example.items():
            sentence = _of_example(fields.get(name), value)
            if sentence:
                yield ("examples", which, name), sentence
        if which != "changes":
            for name, field in fields.items():
                if field.get("role") == "core" and name not in example:
                    yield ("examples", which), f"{name} is core, and so has to be known: add it"


def _of_example(field: Document | None, value: object) -> str:
    if field is None or field.get("role") in ("target", "ignored"):
        return "no such field goes into a request: take it out"
    kind = field.get("kind")
    if field.get("role") == "identifier":
        return ""
    if kind == "date" and isinstance(value, str | date):
        form = field.get("date_format", ISO_DATE)
        known = Field(
            "", "", "date", "optional", ("", ""), reference=field.get("reference"), date_format=form
        )
        value = known.years_since(str(value))
    if kind in _NUMBERS:
        low, high = field.get("minimum", 0), field.get("maximum", LARGEST_IDENTIFIER)
        is_good = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        what = "a date so many years before the reference: " if kind == "date" else "a number "
        return "" if is_good else f"expected {what}from {low} to {high}"
    categories = field.get("categories", YES_NO)
    if field.get("learned") or fold_value(str(value)) in map(fold_value, categories):
        return ""
    return f"expected {_one_of(categories)}"


def _one_of(names: object) -> str:
    *others, last = (str(name) for name in names)  # type: ignore[attr-defined]
    return f"{', '.join(others)} or {last}" if others else last
