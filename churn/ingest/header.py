"""The header of a file: which field each of its columns stands for, whatever its spelling."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from churn.core.errors import Problem
from churn.dictionary import domain, names
from churn.dictionary.domain import Extract
from churn.ingest.findings import Findings


@dataclass(frozen=True, slots=True)
class Expected:
    """What a header may and must have.

    `meanings` are what folded names stand for: a field or another column that may be there once, or None
    where columns are passed over; `required` are the fields that must be there, each with the name of its
    column; `explain` says of any other name what was expected.
    """

    meanings: Mapping[str, str | None]
    required: Mapping[str, str]
    explain: Callable[[str], str]


def match(header: Sequence[str], file: str, findings: Findings, expected: Expected) -> dict[str, int]:
    """Return the position of each field's column, by canonical name.

    Unknown, repeated and absent columns are added to `findings`.
    """
    positions: dict[str, int] = {}
    for position, spelling in enumerate(header):
        folded = domain.fold_name(spelling)
        if folded not in expected.meanings:
            findings.add(Problem(file, 1, spelling, None, expected.explain(spelling)))
        elif (name := expected.meanings[folded]) in positions:
            once = f"one column for {name}; {header[positions[name]]!r} is it already"
            findings.add(Problem(file, 1, spelling, None, once))
        elif name is not None:
            positions[name] = position
    for name, column in expected.required.items():
        if name not in positions:
            findings.add(Problem(file, 1, column, None, "this column, which is absent"))
    return {name: position for name, position in positions.items() if name in domain.BY_NAME}


def of_flat_file(*, labelled: bool, ignore: Collection[str] = ()) -> Expected:
    """Return what a table of whole employees has: the core fields, and the target where it is `labelled`.

    An unknown name is a problem, unless it is one to `ignore`: a misspelt optional field must not become
    an unknown one.
    """
    ignored = dict.fromkeys([*names.PASSED_OVER, *(domain.fold_name(name) for name in ignore)])
    required = (*domain.CORE, domain.TARGET) if labelled else domain.CORE
    return Expected(
        {folded: field.name for folded, field in names.BY_SPELLING.items()} | ignored,
        {field.name: field.name for field in required},
        lambda name: (
            f"no such column{_if_meant(name)}: rename it, remove it, or name it with --ignore-column"
        ),
    )


def of_extract(extract: Extract, dispensable: Collection[str] = ()) -> Expected:
    """Return what one extract has: its own fields, all but the `dispensable` ones, and the identifier."""
    own = [field.name for field in domain.FIELDS if field.extract == extract or field is domain.IDENTIFIER]
    columns = {name: name for name in own} | {domain.IDENTIFIER.name: domain.ID_COLUMNS[extract]}
    return Expected(
        {folded: field.name for folded, field in names.BY_SPELLING.items() if field.name in own}
        | {domain.ID_COLUMNS[extract]: domain.IDENTIFIER.name}
        | {name: name for name in domain.CONSTANT_COLUMNS[extract]},
        {name: column for name, column in columns.items() if name not in dispensable},
        _explain_foreign,
    )


def _explain_foreign(name: str) -> str:
    for extract in domain.EXTRACTS:
        if domain.fold_name(name) in of_extract(extract).meanings:
            return f"no such column here: it belongs to the {extract} extract"
    return f"no such column{_if_meant(name)}: the name is unknown"


def _if_meant(name: str) -> str:
    """Return the part of a sentence that names the field which an unknown name can only mean, if any."""
    field = names.meant(name)
    return "" if field is None else f", or {field.name}, if that is meant"
