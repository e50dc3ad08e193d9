"""The columns of one extract: which field each stands for, whatever its spelling."""

from collections.abc import Container, Sequence

from churn.core.errors import Problem
from churn.dictionary import domain, names
from churn.dictionary.domain import Extract
from churn.ingest.findings import Findings


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
            findings.add(Problem(file, 1, spelling, None, _foreign(spelling)))
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
    fields = _fields(extract)
    spellings = {folded: field.name for folded, field in names.BY_SPELLING.items() if field.name in fields}
    spellings[domain.ID_COLUMNS[extract]] = domain.IDENTIFIER.name
    return spellings | {name: name for name in domain.CONSTANT_COLUMNS[extract]}


def _foreign(spelling: str) -> str:
    for other in domain.EXTRACTS:
        if domain.fold_name(spelling) in _spellings(other):
            return f"no such column here: it belongs to the {other} extract"
    return f"no such column{if_meant(spelling)}: the name is unknown"


def if_meant(spelling: str) -> str:
    """Return the part of a sentence that names the field which an unknown name can only mean, if any."""
    field = names.meant(spelling)
    return "" if field is None else f", or {field.name}, if that is meant"
