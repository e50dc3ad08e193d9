"""The charts of the scorecard: one panel a field, all on one scale, and which fields weigh most."""

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from churn.i18n.formatting import Locale
from churn.model.effects import FieldEffect
from churn.report import svg

SIZE = (3.5, 2.7)
# Of all panels alike, so that their axes line up; shares of the figure.
ROOM = {"top": 0.97, "hspace": 0.06}
NUMBER_ROOM = {"left": 0.12, "right": 0.97, "bottom": 0.18}
CATEGORY_ROOM = {"left": 0.47, "right": 0.88, "bottom": 0.18}
CHARACTER = 0.032  # of a mark, as a share of the figure
SHORT = 3  # characters of a mark that stands beside others
MARGIN = 0.12  # log-odds beyond the largest effect
DOUBLING = math.log(2)


def draw(effects: Sequence[FieldEffect], locale: Locale) -> dict[str, Markup]:
    """Return the panel of each field by its name, and the overview as `importance`."""
    every = [log_odds for effect in effects for log_odds in effect.log_odds]
    scale = min(every, default=0.0) - MARGIN, max(every, default=0.0) + MARGIN
    drawn = {effect.field.name: _panel(effect, scale, locale) for effect in effects}
    return drawn | {"importance": _importance(effects, locale)}


def _importance(effects: Sequence[FieldEffect], locale: Locale) -> Markup:
    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        labels = [locale.label(effect.field.name) for effect in effects]
        bars = axes.barh(labels, [effect.importance for effect in effects], color=svg.BLUE, height=0.7)
        axes.bar_label(bars, [locale.number(effect.importance) for effect in effects], padding=3, size=8)
        axes.set_xlabel(locale.say("effet moyen, en log-odds", "mean effect, in log-odds"))
        axes.xaxis.set_major_formatter(lambda value, _: locale.number(value, 1))
        axes.tick_params(axis="y", length=0)
        axes.margins(y=0.01)
        axes.invert_yaxis()

    names = ", ".join(locale.label(effect.field.name) for effect in effects[:3])
    label = locale.say(
        "Poids de chaque champ, du plus grand au plus petit ; les premiers : {names}.",
        "Weight of each field, from the largest to the smallest; the first: {names}.",
        names=names,
    )
    return svg.draw("importance", label, (7.6, 0.6 + 0.235 * len(effects)), paint)


def _panel(effect: FieldEffect, scale: tuple[float, float], locale: Locale) -> Markup:
    def paint(figure: Figure) -> None:
        if not effect.values:
            unknown = locale.say("jamais connu : sans effet", "never known: no effect")
            figure.text(0.5, 0.5, unknown, ha="center")
        elif effect.field.numeric:
            _number(figure, effect, scale, locale)
        else:
            _category(figure.subplots(gridspec_kw=ROOM | CATEGORY_ROOM), effect, scale, locale)

    return svg.draw(f"effect-{effect.field.name}", _label(effect, locale), SIZE, paint, arrange=False)


def _label(effect: FieldEffect, locale: Locale) -> str:
    name = locale.label(effect.field.name)
    if effect.flat:
        return locale.say("{name} : sans effet.", "{name}: no effect.", name=name)
    (low, least), (high, most) = effect.lowest, effect.highest
    return locale.say(
        "{name} : la cote va de {least} ({low}) à {most} ({high}).",
        "{name}: the odds go from {least} ({low}) to {most} ({high}).",
        name=name,
        least=locale.times(least),
        low=locale.value(low, effect.field.name),
        most=locale.times(most),
        high=locale.value(high, effect.field.name),
    )


def ticks(scale: tuple[float, float], most: int = 7) -> dict[float, str]:
    """Return where the odds are doubled or halved so many times, with its name; there is room for `most`."""
    step = next(step for step in (1, 2, 4, 8, 64) if scale[1] - scale[0] < most * step * DOUBLING)
    powers = range(math.ceil(scale[0] / DOUBLING), math.floor(scale[1] / DOUBLING) + 1)
    named = [(power * DOUBLING, "×1" if not power else f"{'×' if power > 0 else '÷'}{2 ** abs(power)}")
             for power in powers if power % step == 0]  # fmt: skip
    return dict(named)


def _number(figure: Figure, effect: FieldEffect, scale: tuple[float, float], locale: Locale) -> None:
    marks = ticks(scale)
    # All panels have the same marks, so their axes still line up.
    room = NUMBER_ROOM | {"left": max(NUMBER_ROOM["left"], CHARACTER * max(map(len, marks.values())))}
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1), gridspec_kw=ROOM | room)
    values = [float(value) for value in effect.values]
    above.axhline(0, color=svg.MUTED, linewidth=0.8)
    above.fill_between(values, effect.log_odds, 0, where=[e > 0 for e in effect.log_odds],
                       color=svg.PALE_VERMILION, interpolate=True, linewidth=0)  # fmt: skip
    above.fill_between(values, effect.log_odds, 0, where=[e < 0 for e in effect.log_odds],
                       color=svg.PALE_BLUE, interpolate=True, linewidth=0)  # fmt: skip
    line = "o-" if effect.discrete else "-"
    above.plot(values, effect.log_odds, line, color=svg.INK, markersize=4, linewidth=1.6)
    above.set_yticks(list(marks), list(marks.values()))
    above.set_ylim(scale)
    above.grid(axis="y")
    above.tick_params(axis="x", length=0)
    if effect.discrete:
        below.bar(values, effect.counts, width=0.6, color=svg.MUTED)
        below.set_xticks(values)
    else:
        widths = [high - low for low, high in pairwise(effect.edges)]
        below.bar(effect.edges[:-1], effect.counts, widths, align="edge", color=svg.MUTED, edgecolor="white")
        below.xaxis.set_major_locator(MaxNLocator(6, integer=effect.field.kind == "integer"))
    below.xaxis.set_major_formatter(lambda value, _: locale.value(round(value, 6)))
    below.set_yticks([])
    below.spines["left"].set_visible(False)
    if unit := locale.unit(effect.field):
        below.set_xlabel(unit)


def _category(axes: Axes, effect: FieldEffect, scale: tuple[float, float], locale: Locale) -> None:
    everyone = max(sum(effect.counts), 1)
    order = sorted(range(len(effect.values)), key=lambda at: effect.log_odds[at])
    for row, at in enumerate(order):
        colour = svg.PALE_VERMILION if effect.log_odds[at] > 0 else svg.PALE_BLUE
        axes.barh(row, effect.log_odds[at], color=colour, edgecolor=svg.INK, linewidth=0.8, height=0.6)
        share = locale.percent(effect.counts[at] / everyone)
        axes.text(1.28, row, share, transform=axes.get_yaxis_transform(), ha="right", va="center",
                  size=8, color=svg.MUTED)  # fmt: skip
    axes.axvline(0, color=svg.MUTED, linewidth=0.8)
    marks = ticks(scale)
    if max(map(len, marks.values())) > SHORT:
        marks = ticks(scale, most=2)
    axes.set_xticks(list(marks), list(marks.values()))
    axes.set_xlim(scale)
    axes.set_yticks(
        range(len(order)), [locale.value(effect.values[at], effect.field.name) for at in order], size=8
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    # A few bars stay slim, in the middle.
    axes.set_ylim(min(-0.6, len(order) / 2 - 2.7), max(len(order) - 0.4, len(order) / 2 + 1.7))
    axes.grid(axis="x")
