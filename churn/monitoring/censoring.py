"""Who left within the horizon of a prediction, where not everybody has been followed for so long."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class FollowUp:
    """How long each person was followed after a prediction, in days, and whether they left at its end.

    All are (people,). `horizon` is the number of days that the predictions are about.
    """

    days: Floats
    left: Flags
    horizon: float

    @cached_property
    def leavers(self) -> Flags:
        """Who left within the horizon."""
        return self.left & (self.days <= self.horizon)

    @cached_property
    def stayers(self) -> Flags:
        """Who was there for all of the horizon; of all others that did not leave it is not known."""
        return (self.days >= self.horizon) & ~self.leavers

    @cached_property
    def weights(self) -> Floats:
        """Inverse probabilities of being followed for so long; 0 for whom the end is not known.

        They make the people whose end is known stand for those of whom it is not, provided that how long
        somebody was followed says nothing about the risk (J. Robins and A. Rotnitzky, 1992).
        """
        end = np.minimum(self.days, self.horizon)
        lost = ~self.leavers & ~self.stayers
        known = self.leavers | self.stayers
        followed = _survival(end, lost, self.leavers).before(end)
        return np.where(known & (followed > 0), 1 / np.where(followed > 0, followed, 1.0), 0.0)

    def rate(self) -> tuple[float, float]:
        """Return the share that leaves within the horizon, and its variance.

        By Kaplan and Meier's estimator, and Greenwood's formula.
        """
        end = np.minimum(self.days, self.horizon)
        curve = _survival(end, self.leavers, np.zeros(len(end), dtype=bool))
        return 1 - curve.last, curve.variance


@dataclass(frozen=True)
class _Curve:
    times: Floats
    shares: Floats  # that are left after each of these times
    variance: float  # of the last share

    @property
    def last(self) -> float:
        return float(self.shares[-1]) if len(self.shares) else 1.0

    def before(self, moments: Floats) -> Floats:
        """Return the share that is left just before each moment."""
        at = np.searchsorted(self.times, moments, side="left")
        return np.concatenate(([1.0], self.shares))[at]


def _survival(end: Floats, happened: Flags, earlier: Flags) -> _Curve:
    """Return Kaplan and Meier's curve of what has happened at some ends.

    Who is `earlier` counts, at a time that they share with others, as gone before.
    """
    times, counts = np.unique(end[happened], return_counts=True)
    ordered, gone = np.sort(end), np.sort(end[earlier])
    at_risk = len(end) - np.searchsorted(ordered, times, side="left")
    at_risk = at_risk - (
        np.searchsorted(gone, times, side="right") - np.searchsorted(gone, times, side="left")
    )
    shares = np.cumprod(1 - counts / at_risk).astype(np.float64)
    if not len(times):
        return _Curve(times, shares, 0.0)
    with np.errstate(divide="ignore"):
        terms = np.where(at_risk > counts, counts / (at_risk * (at_risk - counts)), 0.0)
    return _Curve(times, shares, float(shares[-1] ** 2 * terms.sum()))
