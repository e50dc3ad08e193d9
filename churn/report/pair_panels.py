"""The charts of pairs: what two fields do together, one panel a pair, all on one scale."""

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from churn.i18n.formatting import Locale
from churn.model.pair_effects import PairEffect, Value
from churn.report import svg

SIZE = (3.5, 2.9)
MOST_TICKS = 6
MARGIN = 0.05  # log-odds beyond the largest effect
# Of so few shades the scale is drawn as rectangles; of many it would be an image, which a page may not hold.
COLOURS = LinearSegmentedColormap.from_list("effects", [svg.BLUE, "white", svg.VERMILION], N=31)


def draw(pairs: Sequence[PairEffect], locale: Locale) -> list[tuple[PairEffect, Markup]]:
    """Return each pair with its panel."""
    largest = max((abs(e) for pair in pairs for row in pair.log_odds for e in row), default=0.0) + MARGIN
    return [(pair, _panel(pair, largest, locale)) for pair in pairs]


def _panel(pair: PairEffect, largest: float, locale: Locale) -> Markup:
    first, second = pair.fields

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        norm = TwoSlopeNorm(0.0, -largest, largest)
        mesh = axes.pcolormesh(np.array(pair.log_odds), cmap=COLOURS, norm=norm, edgecolors="none")
        _axis(axes, "y", pair.values[0], first.name, locale)
        _axis(axes, "x", pair.values[1], second.name, locale)
        axes.set_ylabel(locale.measured(first))
        axes.set_xlabel(locale.measured(second))
        bar = figure.colorbar(mesh, ax=axes, aspect=30)
        marks = (-largest, 0.0, largest)
        bar.set_ticks(marks, labels=[locale.times(math.exp(mark)) for mark in marks])

    (lowest, least), (highest, most) = pair.lowest, pair.highest
    label = locale.say(
        "{first} et {second} ensemble : la cote va de {least} ({low}) à {most} ({high}).",
        "{first} and {second} together: the odds go from {least} ({low}) to {most} ({high}).",
        first=locale.label(first.name),
        second=locale.label(second.name),
        least=locale.times(least),
        low=cell(pair, lowest, locale),
        most=locale.times(most),
        high=cell(pair, highest, locale),
    )
    return svg.draw(f"pair-{first.name}-{second.name}", label, SIZE, paint)


def cell(pair: PairEffect, values: tuple[Value, Value], locale: Locale) -> str:
    """Return where a cell of a pair is, in words."""
    return ", ".join(locale.value(v, f.name) for v, f in zip(values, pair.fields, strict=True))


def _axis(axes: Axes, which: str, values: Sequence[Value], name: str, locale: Locale) -> None:
    """Name the cells of one side, as many as there is room for."""
    numbers = isinstance(values[0], float)
    step = -(-len(values) // MOST_TICKS) if numbers else 1
    places = range(0, len(values), step)
    names = [locale.value(round(v, 2) if isinstance(v, float) else v, name) for v in values[::step]]
    set_ticks = axes.set_yticks if which == "y" else axes.set_xticks
    slanted = which == "x" and not numbers
    set_ticks([place + 0.5 for place in places], names, size=7, rotation=30 if slanted else 0)
