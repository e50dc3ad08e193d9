"""What cannot be learned from is refused before anything is learned."""

from collections.abc import Sequence

import pandas as pd

from churn.core.errors import TrainingError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.model.pipeline import INNER_FOLDS
from churn.training.thresholds import HasLeft

MIN_ROWS = 50


def check_fields(employees: pd.DataFrame, fields: Sequence[Field], dictionary: Dictionary) -> None:
    """Accept fields that the table has and that do not give the answer away; raises TrainingError."""
    names = {field.name for field in fields}
    lacking = sorted({*names, dictionary.target.name} - set(employees.columns))
    if lacking:
        raise TrainingError(f"no column {', '.join(map(repr, lacking))}: expected the fields of the extracts")
    if not names:
        raise TrainingError("no field to learn from: expected at least one")
    # Either would be a perfect memory of who left, and worthless for anyone new.
    forbidden = sorted(names & {dictionary.target.name, dictionary.identifier.name})
    if forbidden:
        raise TrainingError(f"{', '.join(forbidden)} cannot be an input: leave it out of the fields")


def check_size(has_left: HasLeft, folds: int, target: Field) -> None:
    """Accept enough rows of both classes for every fold in a fold; raises TrainingError."""
    if folds < 2:
        raise TrainingError(f"folds = {folds}: expected at least 2")
    departures, rows = int(has_left.sum()), len(has_left)
    if rows < MIN_ROWS:
        raise TrainingError(f"only {rows} employees: expected at least {MIN_ROWS} to learn from")
    if departures in (0, rows):
        seen = "no employee has left" if departures == 0 else "every employee has left"
        raise TrainingError(f"{seen} ({target.name}): expected both, or there is nothing to tell apart")
    needed = max(_needed(folds), folds)
    if min(departures, rows - departures) < needed:
        raise TrainingError(
            f"only {departures} of {rows} employees have left: expected at least {needed} of each kind "
            f"for {folds} folds"
        )


def _needed(folds: int) -> int:
    """Return how many of a class leave one for each calibration fold of each inner fold of each outer one."""
    needed = INNER_FOLDS
    for splits in (INNER_FOLDS, folds):
        kept = needed
        while needed - -(-needed // splits) < kept:  # the largest fold takes its share, rounded up
            needed += 1
    return needed
