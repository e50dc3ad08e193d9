"""Columns that may know who left because they were filled in afterwards."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from churn.drafting.column_kind import ColumnKind
from churn.ingest.raw_column import RawColumn

TOO_GOOD = 0.95  # ROC-AUC of one column alone: nothing that is known beforehand tells so much
FILLED, EMPTY = 0.5, 0.02  # shares of rows with a value, on either side
LEAST_ROWS = 20  # with and without a value, of leavers and of stayers, to tell anything

_PRIOR_ROWS = 5.0

Flags = NDArray[np.bool_]


def alone(column: RawColumn, kind: ColumnKind, has_left: Flags) -> float:
    """Return the ROC-AUC by which a column alone tells leavers; 0.5 where too few rows have a value."""
    known = column.is_known
    if kind.numbers is not None:
        known = known & ~np.isnan(kind.numbers)
        score = kind.numbers[known]
    else:
        score = _rates(column.codes, has_left)[known]
    left = has_left[known]
    if min(left.sum(), (~left).sum()) < LEAST_ROWS:
        return 0.5
    area = float(roc_auc_score(left, score))
    return max(area, 1 - area)


def _rates(codes: NDArray[np.intp], has_left: Flags) -> NDArray[np.float64]:
    """Return the rate of leavers of each row's value, each from the other half of the rows."""
    rates = np.empty(len(codes))
    halves = np.arange(len(codes)) % 2 == 0
    for half in (halves, ~halves):
        size = int(codes.max()) + 1
        left = np.bincount(codes[half], weights=has_left[half], minlength=size)
        rows = np.bincount(codes[half], minlength=size)
        rates[~half] = ((left + _PRIOR_ROWS * has_left.mean()) / (rows + _PRIOR_ROWS))[codes[~half]]
    return rates


def is_filled_for_one_side(column: RawColumn, has_left: Flags) -> bool:
    """Return whether only those who left have a value, or only those who stayed."""
    if min(has_left.sum(), (~has_left).sum()) < LEAST_ROWS:
        return False
    shares = sorted(float(column.is_known[side].mean()) for side in (has_left, ~has_left))
    return shares[0] <= EMPTY and shares[1] >= FILLED
