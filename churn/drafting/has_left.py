"""Which column says who has left, and by which value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from churn.core.errors import DictionaryError
from churn.drafting import name_hints
from churn.ingest.raw_column import RawColumn, RawTable, yes_or_no


@dataclass(frozen=True, eq=False)
class Target:
    """The column of a table, its value for those who have left, and what of that is a guess."""

    table: int
    column: RawColumn
    positive: str
    is_yes_no: bool
    guesses: tuple[str, ...]

    @property
    def flags(self) -> NDArray[np.bool_]:
        """Whether each row's employee has left."""
        is_positive = [text == self.positive for text in self.column.texts]
        return np.array(is_positive)[self.column.codes]


def target_of(tables: Sequence[RawTable], name: str | None, positive: str | None) -> Target:
    """Return the column that somebody has named, or else the only one that can be it.

    Raises:
        DictionaryError: there is none, or several; or it has not two values.
    """
    places = [(place, column) for place, table in enumerate(tables) for column in table.columns]
    if name is not None:
        named = [item for item in places if item[1].name == name]
        if not named:
            known = ", ".join(column.name for _, column in places)
            raise DictionaryError(f"no column is called {name!r}: expected one of {known}")
        return _target(*named[0], positive, ())
    hinted = [item for item in places if name_hints.is_target(item[1].name) and len(item[1].counts) == 2]
    if len(hinted) != 1:
        two = ", ".join(column.name for _, column in places if len(column.counts) == 2) or "none has"
        found = "several columns" if hinted else "no column"
        raise DictionaryError(
            f"{found} may say who has left: name the one by --target COLUMN; columns of two values: {two}"
        )
    column = hinted[0][1]
    return _target(*hinted[0], positive, (f"{column.name} is taken for who has left, by its name",))


def _target(table: int, column: RawColumn, positive: str | None, guesses: tuple[str, ...]) -> Target:
    if len(column.counts) != 2 or not column.is_known.all():
        raise DictionaryError(
            f"{column.name}: expected two values, one for those who have left, in every row; found "
            f"{len(column.counts)}, and {len(column.codes) - column.known} rows without: mend the column, or "
            "name another by --target"
        )
    meant = {yes_or_no(text): text for text in column.counts}
    if positive is not None and positive not in column.counts:
        values = " and ".join(column.counts)
        raise DictionaryError(f"{column.name}: {positive!r} is none of its values, {values}")
    if set(meant) == {"Yes", "No"} and positive in (None, meant["Yes"]):
        return Target(table, column, meant["Yes"], is_yes_no=True, guesses=guesses)
    if positive is not None:
        return Target(table, column, positive, is_yes_no=False, guesses=guesses)
    hinted = [text for text in column.counts if name_hints.is_target(text) or name_hints.is_leaving(text)]
    rarer = min(column.counts, key=lambda text: column.counts[text])
    value = hinted[0] if len(hinted) == 1 else rarer
    reason = "by its name" if len(hinted) == 1 else "as the rarer value"
    guess = f"{value!r} is taken for having left, {reason}: name the value by --positive if it is the other"
    return Target(table, column, value, is_yes_no=False, guesses=(*guesses, guess))
