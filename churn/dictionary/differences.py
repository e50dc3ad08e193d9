"""What differs between two dictionaries, and what that does to who calls the API."""

from collections.abc import Iterator
from dataclasses import dataclass

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: of which field, what it is, and what it does to the API, where it does anything."""

    field: str
    what: str
    effect: str = ""


def differences(old: Dictionary, new: Dictionary) -> list[Difference]:
    """Return what differs, in the order of the fields."""
    found = list(_of_fields(old, new))
    if old.left != new.left and old.target.name == new.target.name:
        found.append(Difference(new.target.name, f"having left is {new.left!r}, not {old.left!r}"))
    for name in {**old.levers, **new.levers}:
        if old.levers.get(name) != new.levers.get(name):
            found.append(Difference(name, "another lever", "/what_if suggests other changes"))
    if old.extracts != new.extracts:
        files = ", ".join(extract.file for extract in new.extracts)
        found.append(Difference("sources", f"other files: {files}", "files to score are read in another way"))
    if old.implausible != new.implausible:
        found.append(Difference("implausible", "other pairs of numbers", "other warnings"))
    return found


def _of_fields(old: Dictionary, new: Dictionary) -> Iterator[Difference]:
    for name in {**old.by_name, **new.by_name}:
        before, after = old.by_name.get(name), new.by_name.get(name)
        if before is None and after is not None:
            yield _added(after)
        elif after is None and before is not None:
            yield _removed(before, new)
        elif before is not None and after is not None:
            yield from _changed(before, after)


def _added(field: Field) -> Difference:
    if field.role == "target":
        return Difference(field.name, "is the target now", "it is what is predicted")
    needed = "has to hold it" if field.role == "core" else "may hold it"
    return Difference(field.name, f"is new ({field.role}, {field.kind})", f"a request {needed}")


def _removed(field: Field, new: Dictionary) -> Difference:
    if field.role == "target":
        return Difference(field.name, "is the target no more")
    if (other := new.names.field_of(field.name)) is not None:
        return Difference(field.name, f"is called {other.name}", f"still accepted; answers say {other.name}")
    return Difference(field.name, "is gone", "a request that holds it is refused")


def _changed(before: Field, after: Field) -> Iterator[Difference]:
    name = after.name
    if before.kind != after.kind:
        yield Difference(name, f"{before.kind} becomes {after.kind}", "a request holds another kind of value")
    if before.role != after.role:
        yield Difference(name, f"{before.role} becomes {after.role}", _EFFECTS_OF_ROLES[after.role])
    yield from _categories(before, after)
    yield from _range(before, after)
    if before.unit != after.unit:
        yield Difference(name, f"the unit is {after.unit or 'none'}, not {before.unit or 'none'}",
                         "the same number means something else")  # fmt: skip
    if before.reference != after.reference:
        yield Difference(
            name, f"years are counted until {after.reference}", "the same date is another number"
        )
    if lost := [spelling for spelling in before.aliases if spelling not in after.spellings]:
        yield Difference(name, f"no longer called {', '.join(lost)}", "a request with that name is refused")
    if (before.labels, before.value_labels) != (after.labels, after.value_labels):
        yield Difference(name, "other labels", "reasons read otherwise")


_EFFECTS_OF_ROLES = {
    "core": "a request has to hold it",
    "optional": "a request may leave it out; the model may use it",
    "protected": "a request may hold it, and the model does not use it",
    "identifier": "it says who somebody is",
    "target": "a request that holds it is refused",
}


def _categories(before: Field, after: Field) -> Iterator[Difference]:
    if before.kind != "category" or after.kind != "category":
        return
    if gone := [value for value in before.categories if after.category(value) is None]:
        yield Difference(after.name, f"without {', '.join(gone)}", "a request with such a value is refused")
    if new := [value for value in after.categories if value not in before.categories]:
        yield Difference(after.name, f"with {', '.join(new)}", "a request may have such a value")


def _range(before: Field, after: Field) -> Iterator[Difference]:
    ends = (before.minimum or 0, before.highest), (after.minimum or 0, after.highest)
    if before.numeric and after.numeric and ends[0] != ends[1]:
        narrower = ends[1][0] > ends[0][0] or ends[1][1] < ends[0][1]
        effect = "a request outside of it is refused" if narrower else "a request may have more values"
        yield Difference(after.name, f"from {ends[1][0]:g} to {ends[1][1]:g}, not {ends[0][0]:g} to "
                         f"{ends[0][1]:g}", effect)  # fmt: skip
