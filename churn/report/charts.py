"""The charts of how good the model is, each as an SVG element with a text for those who cannot see it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from churn.i18n.formatting import Locale
from churn.report import comparisons, svg

Facts = Mapping[str, Any]

SQUARE = (5.0, 4.2)
Z = 1.96  # of a 95 % interval
_ROOT_TICKS = (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)


def draw(facts: Facts, locale: Locale) -> dict[str, Markup]:
    """Return every chart that these facts have something for, by name."""
    drawn = {
        "roc": _roc(facts, locale),
        "precision-recall": _precision_recall(facts, locale),
        "calibration": _calibration(facts, locale),
        "confusion": _confusion(facts, locale),
        "thresholds": _thresholds(facts, locale),
        "choices": comparisons.choices(facts, locale),
    }
    if facts["challengers"]:
        drawn["challengers"] = comparisons.challengers(facts, locale)
    return drawn | {
        f"fairness-{audit['field']}": comparisons.fairness(audit, locale) for audit in facts["fairness"]
    }


def _shares(axes: Axes, locale: Locale, x: str, y: str) -> None:
    """Make both axes shares from 0 to 100 %."""
    formatter = FuncFormatter(lambda share, _: locale.percent(share))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=x, ylabel=y)
    axes.xaxis.set_major_formatter(formatter)
    axes.yaxis.set_major_formatter(formatter)
    axes.grid()


def _rates(facts: Facts) -> tuple[float, float, float]:
    """Return the decision's false positive rate, recall and precision."""
    counts = facts["curves"]["confusion"]
    flagged = counts["true_positives"] + counts["false_positives"]
    return (
        counts["false_positives"] / (counts["false_positives"] + counts["true_negatives"]),
        counts["true_positives"] / facts["n_departures"],
        counts["true_positives"] / flagged if flagged else 0.0,
    )


def _operating_point(axes: Axes, x: float, y: float, locale: Locale, align: str) -> None:
    axes.plot(x, y, "o", color=svg.VERMILION, markersize=8, markeredgecolor="white")
    offset = (9, -4) if align == "left" else (-9, -12)
    axes.annotate(
        locale.say("le seuil retenu", "the threshold in force"), (x, y), offset,
        textcoords="offset points", ha=align, color=svg.VERMILION, weight="bold",
    )  # fmt: skip


def _roc(facts: Facts, locale: Locale) -> Markup:
    area = locale.spread(facts["metrics"]["roc_auc"])

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], "--", color=svg.MUTED, linewidth=1)
        axes.text(0.62, 0.55, locale.say("le hasard", "chance"), color=svg.MUTED)
        axes.plot(*zip(*facts["curves"]["roc"], strict=True), color=svg.BLUE)
        false_alarms, recall, _ = _rates(facts)
        _operating_point(axes, false_alarms, recall, locale, "left")
        _shares(
            axes,
            locale,
            locale.say("part des restés signalés à tort", "share of those who stayed, wrongly flagged"),
            locale.say("part des départs signalés", "share of the departures, flagged"),
        )

    label = locale.say("Courbe ROC, aire {area}.", "ROC curve, area {area}.", area=area)
    return svg.draw("roc", label, SQUARE, paint)


def _precision_recall(facts: Facts, locale: Locale) -> Markup:
    rate = facts["n_departures"] / facts["n_rows"]
    mean = locale.spread(facts["metrics"]["average_precision"])

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(rate, linestyle="--", color=svg.MUTED, linewidth=1)
        axes.text(0.02, rate + 0.02, locale.say("le hasard", "chance"), color=svg.MUTED)
        axes.plot(*zip(*facts["curves"]["precision_recall"], strict=True), color=svg.BLUE)
        _, recall, precision = _rates(facts)
        _operating_point(axes, recall, precision, locale, "right")
        _shares(
            axes,
            locale,
            locale.say("rappel : part des départs signalés", "recall: share of the departures, flagged"),
            locale.say("précision : part des signalés partis", "precision: share of the flagged who left"),
        )

    label = locale.say(
        "Courbe précision-rappel, précision moyenne {mean}.",
        "Precision-recall curve, average precision {mean}.",
        mean=mean,
    )
    return svg.draw("precision-recall", label, SQUARE, paint)


def _calibration(facts: Facts, locale: Locale) -> Markup:
    bins = facts["curves"]["calibration"]
    predicted = [tenth["predicted"] for tenth in bins]
    observed = [tenth["observed"] for tenth in bins]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        # Most risks are small: the square root gives them room, and keeps the diagonal straight.
        axes.set_xscale("function", functions=(_root, np.square))
        axes.set_yscale("function", functions=(_root, np.square))
        axes.plot([0, 1], [0, 1], "--", color=svg.MUTED, linewidth=1)
        axes.text(0.46, 0.36, locale.say("justesse parfaite", "perfectly right"), color=svg.MUTED)
        for x, y, tenth in zip(predicted, observed, bins, strict=True):
            axes.plot([x, x], _wilson(y, tenth["n"]), color=svg.BLUE, linewidth=1.4, alpha=0.7)
        axes.plot(predicted, observed, "o", color=svg.BLUE, markersize=5.5, markeredgecolor="white")
        _shares(
            axes,
            locale,
            locale.say("probabilité annoncée", "predicted probability"),
            locale.say("part réellement partie", "share who really left"),
        )
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=_ROOT_TICKS, yticks=_ROOT_TICKS)

    pairs = ", ".join(
        f"{locale.percent(x)} → {locale.percent(y)}" for x, y in zip(predicted, observed, strict=True)
    )
    label = locale.say(
        "Calibration, par dixième d'employés, probabilité annoncée → part partie : {pairs}.",
        "Calibration, by tenths of the employees, predicted probability → share who left: {pairs}.",
        pairs=pairs,
    )
    return svg.draw("calibration", label, SQUARE, paint)


def _root(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(share, 0))


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of n (E. B. Wilson, 1927)."""
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * (share * (1 - share) / n + Z**2 / (4 * n**2)) ** 0.5
    return centre - half, centre + half


def _confusion(facts: Facts, locale: Locale) -> Markup:
    counts = facts["curves"]["confusion"]
    cells = {  # column, row
        (0, 0): ("true_negatives", locale.say("à raison", "rightly")),
        (1, 0): ("false_positives", locale.say("fausses alertes", "false alarms")),
        (0, 1): ("false_negatives", locale.say("départs manqués", "missed departures")),
        (1, 1): ("true_positives", locale.say("départs repérés", "departures found")),
    }
    columns = [locale.say("non signalés", "not flagged"), locale.say("signalés", "flagged")]
    rows = [locale.say("sont restés", "stayed"), locale.say("sont partis", "left")]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for (x, y), (name, meaning) in cells.items():
            colour = svg.PALE_BLUE if x == y else svg.PALE_VERMILION
            axes.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour))
            count = locale.count(counts[name])
            axes.text(x, y - 0.04, count, ha="center", va="center", size=20, weight="bold")
            axes.text(x, y + 0.26, meaning, ha="center", va="center", size=10)
        axes.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), xticks=[0, 1], yticks=[0, 1])
        axes.set_xticklabels(columns, size=11)
        axes.set_yticklabels(rows, size=11)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    label = "; ".join(f"{meaning}: {locale.count(counts[name])}" for name, meaning in cells.values())
    return svg.draw("confusion", label, (5.0, 3.5), paint)


def _thresholds(facts: Facts, locale: Locale) -> Markup:
    cuts, threshold = facts["curves"]["cuts"], facts["threshold"]["value"]
    lines = {
        "recall": (locale.say("départs repérés (rappel)", "departures found (recall)"), "-", svg.BLUE),
        "precision": (locale.say("justesse des alertes (précision)", "alarms that are right (precision)"),
                      "--", svg.VERMILION),
        "flagged": (locale.say("employés signalés", "employees flagged"), "-.", svg.GREEN),
    }  # fmt: skip

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvline(threshold, color=svg.INK, linewidth=1)
        axes.annotate(
            locale.say("seuil {value}", "threshold {value}", value=locale.percent(threshold, 1)),
            (threshold, 1.03), (4, 0), textcoords="offset points", va="bottom", annotation_clip=False,
        )  # fmt: skip
        for name, (title, dashes, colour) in lines.items():
            points = [(cut["threshold"], cut[name]) for cut in cuts]
            axes.plot(*zip(*points, strict=True), dashes, color=colour, label=title)
        _shares(axes, locale, locale.say("seuil de probabilité", "probability threshold"), "")
        figure.legend(loc="outside lower center", ncols=2, handlelength=3)

    label = locale.say(
        "Rappel, précision et part signalée selon le seuil ; seuil retenu {value}.",
        "Recall, precision and share flagged, by threshold; the one in force is {value}.",
        value=locale.percent(threshold, 1),
    )
    return svg.draw("thresholds", label, (5.4, 3.9), paint)
