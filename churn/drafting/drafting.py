"""Drafts a dictionary from a company's files, one or several to be joined."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churn.dictionary.folding import fold_name
from churn.drafting import joins
from churn.drafting.column_kind import kind_of
from churn.drafting.draft import Draft, DraftField
from churn.drafting.drafted_field import drafted, label_of, name_of, suspect
from churn.drafting.examples import typical
from churn.drafting.has_left import Target, target_of
from churn.drafting.joins import Ids
from churn.drafting.name_words import plain
from churn.ingest.raw_column import RawColumn, RawTable, read

IDENTIFIER = "employee_id"
MOST_CORE = 8  # fields that a request has to hold: those that tell the most by themselves


def draft(paths: Sequence[Path], name: str, target: str | None = None, positive: str | None = None) -> Draft:
    """Return a dictionary of files; `target` is the column of who has left, `positive` its value for that.

    Raises:
        ExtractError: a file cannot be read.
        DictionaryError: who has left, or how files are joined, cannot be told.
    """
    tables = [read(path) for path in paths]
    left = target_of(tables, target, positive)
    ids = joins.shared(tables) if len(tables) > 1 else []
    sources = _source_names(tables) if ids else []
    identifier, taken_for_id = _identifier(tables, ids, sources[0] if sources else "")
    last = _target_field(left)
    special = {left.column, *taken_for_id}
    fields: list[DraftField] = []
    seen: list[tuple[DraftField, RawColumn, NDArray[np.bool_]]] = []
    told: dict[str, float] = {}
    columns = [(place, c) for place, table in enumerate(tables) for c in table.columns if c not in special]
    kinds = {column: kind_of(column) for _, column in columns}
    reference = max((kind.latest for kind in kinds.values() if kind.latest), default=None)
    first: dict[str, DraftField] = {}
    for place, column in columns:
        if other := first.get(fold_name(column.name)):
            other.doubts.append(f"{tables[place].path.name} has a column of this name too: it is passed over")
            continue
        taken = {IDENTIFIER, last.name, *(field.name for field in fields)}
        field = drafted(column, kinds[column], name_of(column.name, taken), reference)
        seen.append((field, column, _has_left(place, left, ids)))
        told[field.name] = suspect(field, column, kinds[column], seen[-1][2])
        if sources:
            field.entry = {"source": sources[place], **field.entry}
        fields.append(field)
        first[fold_name(column.name)] = field
    _choose_core(fields, columns, told)
    if sources:
        last.entry = {"source": sources[left.table], **last.entry}
    everything = (*identifier, *fields, last)
    return Draft(
        name,
        tuple(table.path.name for table in tables),
        tuple(str(table.understood) for table in tables),
        {source: _source(tables[place], ids[place]) for place, source in enumerate(sources)},
        everything,
        tuple(field.name for field in everything if _is_audited(field)),
        typical(seen, kinds),
    )


def _identifier(
    tables: Sequence[RawTable], ids: Sequence[Ids], source: str
) -> tuple[list[DraftField], list[RawColumn]]:
    """Return the field of who somebody is, if there is one, and the columns that it stands for."""
    entry: dict[str, Any] = {"role": "identifier", "labels": {"fr": "Matricule", "en": "Employee id"}}
    if ids:
        entry = {"source": source, **entry}
        field = DraftField(IDENTIFIER, IDENTIFIER, entry, ["joins the files"])
        shared = set.intersection(*(set(found.numbers) for found in ids))
        if lacking := len(set.union(*(set(found.numbers) for found in ids))) - len(shared):
            field.doubts.append(f"{lacking} employees are not in every file: training will name them")
        return [field], [found.column for found in ids]
    column, is_named = joins.identifier(tables[0])
    if column is None:
        return [], []
    field = DraftField(IDENTIFIER, column.name, entry, ["a value of its own in every row"])
    if fold_name(column.name) != IDENTIFIER:
        entry["aliases"] = [column.name]
    if not is_named:
        field.doubts.append(f"{column.name} is taken for an id, as no number repeats")
    return [field], [column]


def _target_field(left: Target) -> DraftField:
    column = left.column
    share = f"{left.flags.mean():.1%} of the rows are of leavers"
    label = label_of(column.name)
    name = name_of(column.name, (IDENTIFIER,))
    entry: dict[str, Any] = {"kind": "yes/no" if left.is_yes_no else "category", "role": "target"}
    entry |= {"labels": {"fr": label, "en": label}, "positive": "Yes" if left.is_yes_no else left.positive}
    if not left.is_yes_no:
        entry["categories"] = list(column.counts)
    if fold_name(name) != fold_name(column.name):
        entry["aliases"] = [column.name]
    return DraftField(name, column.name, entry, [share], list(left.guesses))


def _has_left(place: int, left: Target, ids: Sequence[Ids]) -> NDArray[np.bool_]:
    """Return who has left, for each row of a table."""
    if place == left.table:
        return left.flags
    known = dict(zip(ids[left.table].numbers, left.flags.tolist(), strict=True))
    return np.array([known.get(number, False) for number in ids[place].numbers])


def _choose_core(
    fields: Sequence[DraftField], columns: Sequence[tuple[int, RawColumn]], told: Mapping[str, float]
) -> None:
    """Have a request hold the fields that tell the most, of those that are always known."""
    known = {c.name for _, c in columns if c.is_known.all()}
    always = [field for field in fields if field.role == "optional" and field.column in known]
    for field in sorted(always, key=lambda field: -told[field.name])[:MOST_CORE]:
        field.entry["role"] = "core"


def _is_audited(field: DraftField) -> bool:
    has_groups = "groups" in field.entry or "categories" in field.entry or field.kind == "yes/no"
    return field.role == "protected" and has_groups


def _source_names(tables: Sequence[RawTable]) -> list[str]:
    names: list[str] = []
    for table in tables:
        name = plain(table.path.stem) or "file"
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return names


def _source(table: RawTable, ids: Ids) -> dict[str, Any]:
    label = label_of(table.path.stem)
    source = {"file": table.path.stem, "id_column": ids.column.name, "id": ids.pattern}
    return {**source, "zero_padded": ids.is_padded, "labels": {"fr": label, "en": label}}
