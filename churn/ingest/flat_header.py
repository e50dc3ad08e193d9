"""The columns of a flat table: which field each stands for, whatever its spelling."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from churn.core.errors import Problem
from churn.dictionary import domain, names
from churn.dictionary.domain import Field
from churn.ingest.extract_header import if_meant
from churn.ingest.findings import Findings


@dataclass(frozen=True, slots=True)
class Header:
    """The position of each field's column, by canonical name, and the column's own spelling."""

    positions: dict[str, int]
    spellings: dict[str, str]
    ignored_target: str | None
    absent: tuple[Field, ...]


def match(
    header: Sequence[str], file: str, findings: Findings, *, labelled: bool, ignore: Collection[str] = ()
) -> Header:
    """Find the fields among a table's column names; the target's only where the table is `labelled`.

    Unknown, repeated and absent columns are added to `findings`, but for those to `ignore`: a
    misspelt optional field must not become an unknown one.
    """
    ignored = {domain.fold_name(name) for name in ignore}
    positions: dict[str, int] = {}
    for position, spelling in enumerate(header):
        if domain.fold_name(spelling) in ignored or names.is_passed_over(spelling):
            continue
        field = names.field_of(spelling)
        if field is None:
            findings.add(Problem(file, 1, spelling, None, _unknown(spelling)))
        elif field.name in positions:
            first = header[positions[field.name]]
            expected = f"one column for {field.name}; {first!r} is it already"
            findings.add(Problem(file, 1, spelling, None, expected))
        else:
            positions[field.name] = position
    wanted = (*domain.CORE, domain.TARGET) if labelled else domain.CORE
    for field in wanted:
        if field.name not in positions:
            findings.add(Problem(file, 1, field.name, None, "this column, which is absent"))
    target = None if labelled else positions.pop(domain.TARGET.name, None)
    return Header(
        positions,
        {name: header[position] for name, position in positions.items()},
        None if target is None else header[target],
        tuple(field for field in domain.FEATURES if field.name not in positions),
    )


def _unknown(spelling: str) -> str:
    return f"no such column{if_meant(spelling)}: rename it, remove it, or name it with --ignore-column"
