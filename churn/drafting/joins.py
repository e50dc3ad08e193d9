"""How the files of a company name its employees, so that they can be joined."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from churn.core.errors import DictionaryError
from churn.drafting import name_hints
from churn.ingest.raw_column import RawColumn, RawTable

_NUMBERED = re.compile(r"(.*?)(\d{1,18})(?:\.0+)?")


@dataclass(frozen=True, eq=False)
class Ids:
    """A column of ids: all are `prefix` and a number; `numbers` has that of each row."""

    column: RawColumn
    prefix: str
    is_padded: bool
    numbers: tuple[int, ...]

    @property
    def pattern(self) -> str:
        """The pattern as a dictionary has it."""
        return f"{self.prefix}{{id}}"


def identifier(table: RawTable) -> tuple[RawColumn | None, bool]:
    """Return the column of a single file that says who somebody is, if any, and whether its name says so."""
    unique = [column for column in table.columns if column.is_unique]
    named = [column for column in unique if name_hints.is_identifier(column.name)]
    if named:
        return named[0], True
    # Measures differ from row to row, too; whole numbers that all differ are more often ids.
    whole = [column for column in unique if all(_NUMBERED.fullmatch(text) for text in column.counts)]
    return (whole[0], False) if whole else (None, False)


def shared(tables: Sequence[RawTable]) -> list[Ids]:
    """Return the column of each file in which the most employees of the first one are found.

    Raises:
        DictionaryError: a file has no column whose ids are those of the others.
    """
    best: list[Ids] = []
    for first in _candidates(tables[0]):
        joined = [first, *(_best(first, table) for table in tables[1:])]
        if all(joined) and (not best or _overlap(joined) > _overlap(best)):
            best = [ids for ids in joined if ids is not None]
    if not best:
        names = ", ".join(table.path.name for table in tables)
        raise DictionaryError(
            f"{names}: no column of ids joins these files: expected one in each, with a number for each "
            "employee, as 17, E_17 or 00017; draft them one by one, or join them first"
        )
    return best


def _best(first: Ids, table: RawTable) -> Ids | None:
    wanted = set(first.numbers)
    candidates = [ids for ids in _candidates(table) if len(wanted & set(ids.numbers)) > len(wanted) / 2]
    return max(candidates, key=lambda ids: len(wanted & set(ids.numbers)), default=None)


def _overlap(joined: Sequence[Ids | None]) -> int:
    return len(set.intersection(*(set(ids.numbers) for ids in joined if ids)))


def _candidates(table: RawTable) -> Iterator[Ids]:
    """Yield the columns that may be ids; those first whose names say so."""
    for column in sorted(table.columns, key=lambda column: not name_hints.is_identifier(column.name)):
        if column.is_unique and (ids := _ids(column)):
            yield ids


def _ids(column: RawColumn) -> Ids | None:
    matches = [_NUMBERED.fullmatch(text) for text in column.texts]
    found = [match for match in matches if match]
    prefixes = {match[1] for match in found}
    if len(found) < len(matches) or len(prefixes) != 1:
        return None
    numbers = [int(match[2]) for match in found]
    is_padded = any(match[2].startswith("0") and len(match[2]) > 1 for match in found)
    return Ids(column, prefixes.pop(), is_padded, tuple(numbers[code] for code in column.codes))
