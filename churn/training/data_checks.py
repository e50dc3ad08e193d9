"""What is wrong with a table of employees, before anything is learned, and what its owner should know."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import combinations

import pandas as pd

from churn.core.errors import TrainingError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field


def check_content(employees: pd.DataFrame, fields: Sequence[Field], dictionary: Dictionary) -> list[str]:
    """Return what the owner of a table should know of its fields, the model's inputs.

    Raises:
        TrainingError: an id repeats, a field is never known, or two are copies; all is listed.
    """
    problems = [
        *_repeated(employees[dictionary.identifier.name], dictionary),
        *_unknown(employees, fields),
        *_copies(employees, fields),
    ]
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise TrainingError(f"{len(problems)} problem{'s' * (len(problems) != 1)} in the data:{listed}")
    return [*_constants(employees, fields), *_single(employees, fields)]


def _repeated(ids: pd.Series, dictionary: Dictionary) -> Iterator[str]:
    repeated = ids.duplicated() & ids.notna()
    if repeated.any():
        again = int(repeated.to_numpy().argmax())
        first = int((ids == ids.iloc[again]).to_numpy().argmax())
        count = int(repeated.sum())
        rows = "1 row repeats an id:" if count == 1 else f"{count} rows repeat an id, the first of them"
        yield (
            f"{dictionary.identifier.name}: {rows} row {again + 1}, which has that of row {first + 1}: "
            "keep one row of each employee"
        )


def _unknown(employees: pd.DataFrame, fields: Sequence[Field]) -> Iterator[str]:
    for field in fields:
        if employees[field.name].isna().all():
            yield (
                f"{field.name}: no row has a value: leave it out with --exclude {field.name}, "
                'or give it the role "ignored" in the dictionary'
            )


def _copies(employees: pd.DataFrame, fields: Sequence[Field]) -> Iterator[str]:
    columns = {field.name: employees[field.name] for field in fields}
    varied = {name: column for name, column in columns.items() if column.nunique() > 1}
    # By their digests: to compare every two columns of a large company would take its time.
    digests = {name: _digest(column) for name, column in varied.items()}
    for first, second in combinations(varied, 2):
        if digests[first] == digests[second]:
            yield (
                f"{first} and {second} are the same in every row, so their effects cannot be told apart: "
                f"leave one out with --exclude {second}"
            )


def _digest(column: "pd.Series") -> bytes:
    plain = column.astype(str) if isinstance(column.dtype, pd.CategoricalDtype) else column
    return hashlib.sha256(pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes()).digest()


def _constants(employees: pd.DataFrame, fields: Sequence[Field]) -> Iterator[str]:
    for field in fields:
        if employees[field.name].nunique(dropna=False) == 1:
            yield f"{field.name} is the same for everybody: it teaches nothing"


def _single(employees: pd.DataFrame, fields: Sequence[Field]) -> Iterator[str]:
    for field in fields:
        if field.numeric:
            continue
        counts = employees[field.name].value_counts()
        if single := [str(value) for value, count in counts.items() if count == 1]:
            yield (
                f"{field.name}: {', '.join(single)} {'is' if len(single) == 1 else 'are each'} one person: "
                "what is learned of one does not hold for others; join it with another category"
            )
