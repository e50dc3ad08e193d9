"""Drawings: where the marks of gauges and bars stand, as shares of their width, for SVG in the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from churn.core.language import Language
from churn.i18n.numbers import number

WIDTH = 100.0  # of a drawing, in its own units
_HALF = WIDTH / 2


@dataclass(frozen=True, slots=True)
class Gauge:
    """A probability between 0 and 1 on a scale, with the bounds of the bands."""

    probability: float
    moderate: float
    high: float

    @classmethod
    def of(cls, prediction: Mapping[str, Any]) -> "Gauge":
        """Return the gauge of an answered prediction."""
        threshold = prediction["threshold"] * WIDTH
        return cls(prediction["probability"] * WIDTH, threshold / 2, threshold)


@dataclass(frozen=True, slots=True)
class Bar:
    """One contribution: to the right of the middle it raises the risk, to the left it lowers it."""

    text: str
    contribution: float
    start: float
    length: float

    @property
    def raises(self) -> bool:
        """Whether it raises the risk."""
        return self.contribution > 0

    def figure(self, language: Language) -> str:
        """Return the contribution as it is read: always with its sign."""
        return f"{'+' if self.contribution >= 0 else ''}{number(self.contribution, language, 2)}"


def bars(labelled: Sequence[tuple[str, float]]) -> list[Bar]:
    """Return contributions as bars; the longest one reaches the edge."""
    largest = max((abs(contribution) for _, contribution in labelled), default=0.0) or 1.0
    lengths = [abs(contribution) / largest * _HALF for _, contribution in labelled]
    return [
        Bar(text, contribution, round(_HALF if contribution > 0 else _HALF - length, 2), round(length, 2))
        for (text, contribution), length in zip(labelled, lengths, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Span:
    """An interval around a value, on a scale with zero in the middle."""

    start: float
    length: float
    middle: float


def spans(intervals: Sequence[tuple[float, float, float]]) -> list[Span]:
    """Return intervals (low, value, high) as spans; the end that is farthest from zero reaches the edge."""
    largest = max((abs(end) for low, _, high in intervals for end in (low, high)), default=0.0) or 1.0

    def at(value: float) -> float:
        return round(_HALF + value / largest * _HALF, 2)

    return [Span(at(low), round(at(high) - at(low), 2), at(value)) for low, value, high in intervals]


def polyline(points: Sequence[Sequence[float]]) -> str:
    """Return points between 0 and 1 as SVG has them: from the left, and from the top."""
    return " ".join(f"{x * WIDTH:.2f},{(1 - y) * WIDTH:.2f}" for x, y in points)


def columns(counts: Sequence[int]) -> list[tuple[float, float, float]]:
    """Return counts as columns of a histogram: where each begins, its width, and its height."""
    largest, width = max(counts, default=0) or 1, WIDTH / max(1, len(counts))
    # Where there is anybody, there is something to see.
    heights = [max(1.5, count / largest * WIDTH) if count else 0.0 for count in counts]
    return [(at * width, width, height) for at, height in enumerate(heights)]
