"""The risk bands: what a probability is called."""

from typing import Literal, get_args

Band = Literal["low", "moderate", "high"]

BANDS: tuple[Band, ...] = get_args(Band)  # in rising order


def risk_band(probability: float, threshold: float) -> Band:
    """Return the band of a probability, given the decision threshold.

    The high band is what the threshold flags, so that a band never contradicts a prediction; the moderate one
    begins at half of the threshold.
    """
    if probability >= threshold:
        return "high"
    return "moderate" if probability >= threshold / 2 else "low"
