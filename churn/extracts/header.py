"""The columns of one extract: which field each stands for, whatever its spelling."""

from collections.abc import Container, Sequence

from churn import domain
from churn.domain import Extract
from churn.errors import Problem
from churn.extracts.findings import Findings


def match(
    header: Sequence[str],
    extract: Extract,
    file: str,
    findings: Findings,
    *,
    dispensable: Container[str] = (),
) -> dict[str, int]:
    """Return the position of each field's column, by canonical name.

    Unknown, foreign, repeated and absent columns are added to `findings`; constant ones are dropped.
    Only `dispensable` fields may be absent.
    """
    spellings = _spellings(extract)
    positions: dict[str, int] = {}
    for position, spelling in enumerate(header):
        folded = domain.fold_name(spelling)
        name = spellings.get(folded)
        if name is None:
            findings.add(Problem(file, 1, spelling, None, _foreign(folded)))
        elif name in positions:
            first = header[positions[name]]
            findings.add(Problem(file, 1, spelling, None, f"one column for {name}; {first!r} is it already"))
        else:
            positions[name] = position
    fields = _fields(extract)
    for name in fields:
        if name not in positions and name not in dispensable:
            column = domain.ID_COLUMNS[extract] if name == domain.IDENTIFIER.name else name
            findings.add(Problem(file, 1, column, None, "this column, which is absent"))
    return {name: position for name, position in positions.items() if name in fields}


def _fields(extract: Extract) -> list[str]:
    return [f.name for f in domain.FIELDS if f.extract == extract or f is domain.IDENTIFIER]


def _spellings(extract: Extract) -> dict[str, str]:
    """Return what each folded column name of this extract stands for."""
    spellings = {
        domain.fold_name(spelling): name
        for name in _fields(extract)
        for spelling in domain.BY_NAME[name].spellings
    }
    spellings[domain.ID_COLUMNS[extract]] = domain.IDENTIFIER.name
    return spellings | {name: name for name in domain.CONSTANT_COLUMNS[extract]}


def _foreign(folded: str) -> str:
    for other in domain.EXTRACTS:
        if folded in _spellings(other):
            return f"no such column here: it belongs to the {other} extract"
    return "no such column: the name is unknown"
