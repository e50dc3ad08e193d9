"""The columns of a flat table: which field each stands for, whatever its spelling."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from churn import domain
from churn.domain import Field
from churn.errors import Problem
from churn.extracts.findings import Findings

# Other columns that tables joined from the three extracts have, and that say nothing.
_KNOWN = {
    domain.fold_name(name)
    for names in (domain.ID_COLUMNS.values(), *domain.CONSTANT_COLUMNS.values())
    for name in names
}


@dataclass(frozen=True, slots=True)
class Header:
    """The position of each field's column, by canonical name, and the column's own spelling."""

    positions: dict[str, int]
    spellings: dict[str, str]
    ignored_target: str | None
    absent: tuple[Field, ...]


def match(
    names: Sequence[str], file: str, findings: Findings, *, labelled: bool, ignore: Collection[str] = ()
) -> Header:
    """Find the fields among a table's column names; the target's only where the table is `labelled`.

    Unknown, repeated and absent columns are added to `findings`, but for those to `ignore`: a
    misspelt optional field must not become an unknown one.
    """
    ignored = {domain.fold_name(name) for name in ignore}
    positions: dict[str, int] = {}
    for position, spelling in enumerate(names):
        folded = domain.fold_name(spelling)
        field = None if folded in ignored else domain.BY_SPELLING.get(folded)
        if field is None:
            if folded not in ignored | _KNOWN:
                findings.add(Problem(file, 1, spelling, None, _unknown(folded)))
        elif field.name in positions:
            first = names[positions[field.name]]
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
        {name: names[position] for name, position in positions.items()},
        None if target is None else names[target],
        tuple(field for field in domain.FEATURES if field.name not in positions),
    )


def _unknown(folded: str) -> str:
    close = get_close_matches(folded, domain.BY_SPELLING, n=1, cutoff=0.75)
    meant = f", or {domain.BY_SPELLING[close[0]].name}, if that is meant" if close else ""
    return f"no such column{meant}: rename it, remove it, or name it with --ignore-column"
