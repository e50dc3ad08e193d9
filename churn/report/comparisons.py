"""The charts that set one beside another: choices of the threshold, other models, groups of employees."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from churn.i18n import terms
from churn.i18n.formatting import Locale
from churn.report import svg

Facts = Mapping[str, Any]


def choices(facts: Facts, locale: Locale) -> Markup:
    """Return what each choice of the threshold would find, miss and wrongly flag."""
    every = facts["choices"]
    parts: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("found", locale.say("départs repérés", "departures found"), {"color": svg.BLUE}),
        ("false_alarms", locale.say("fausses alertes", "false alarms"),
         {"color": svg.PALE_VERMILION, "hatch": "////", "edgecolor": svg.VERMILION, "linewidth": 0.5}),
        ("missed", locale.say("départs manqués", "missed departures"),
         {"color": svg.PALE, "edgecolor": svg.MUTED, "linewidth": 0.5}),
    )  # fmt: skip

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        places = range(len(every))
        for name, title, look in parts:
            counts = [choice[name] for choice in every]
            # What is flagged goes right, what is missed goes left.
            left = {"false_alarms": [choice["found"] for choice in every], "missed": [-n for n in counts]}
            axes.barh(places, counts, left=left.get(name), label=title, height=0.66, **look)
        axes.axvline(0, color=svg.INK, linewidth=1)
        axes.set_yticks(places, [terms.policy(choice["policy"], locale) for choice in every])
        axes.get_yticklabels()[0].set_fontweight("bold")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: locale.count(abs(n))))
        axes.set_xlabel(locale.say("employés", "employees"))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.use_sticky_edges = False
        axes.margins(x=0.03, y=0.01)
        axes.invert_yaxis()
        axes.grid(axis="x")
        figure.legend(loc="outside upper center", ncols=3)

    label = locale.say(
        "Ce que coûte chaque choix de seuil ; les chiffres sont dans le tableau.",
        "What each choice of the threshold costs; the figures are in the table.",
    )
    return svg.draw("choices", label, (8.6, 0.9 + 0.33 * len(every)), paint)


def challengers(facts: Facts, locale: Locale) -> Markup:
    """Return the model among its challengers, each with its spread."""
    everyone = [(locale.pick(terms.THIS_MODEL), facts["metrics"])] + [
        (locale.pick(terms.CHALLENGERS.get(model["name"], (model["name"],) * 2)), model["metrics"])
        for model in facts["challengers"]
    ]

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, name in ((left, "roc_auc"), (right, "average_precision")):
            for place, (_, metrics) in enumerate(everyone):
                colour = svg.INK if place else svg.VERMILION
                mean, sd = metrics[name]["mean"], metrics[name]["sd"]
                axes.errorbar(mean, place, xerr=sd, fmt="o", color=colour, capsize=3, linewidth=1.5)
            axes.axvline(everyone[0][1][name]["mean"], color=svg.VERMILION, linewidth=0.8, linestyle=":")
            axes.set_title(locale.pick(terms.METRICS[name].name), size=10)
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: locale.number(value)))
            axes.tick_params(axis="y", length=0)
            axes.grid(axis="x")
        left.set_yticks(range(len(everyone)), [title for title, _ in everyone])
        left.get_yticklabels()[0].set_fontweight("bold")
        left.invert_yaxis()

    label = locale.say(
        "Ce modèle et ses concurrents, moyenne ± écart type ; les chiffres sont dans le tableau.",
        "This model and its challengers, mean ± standard deviation; the figures are in the table.",
    )
    return svg.draw("challengers", label, (8.6, 1 + 0.32 * len(everyone)), paint)


def fairness(audit: Mapping[str, Any], locale: Locale) -> Markup:
    """Return how often each group of one field is flagged, with its interval, and how often it left."""
    groups = audit["groups"]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for place, group in enumerate(groups):
            rate = group["selection_rate"]
            if rate["low"] is not None and rate["high"] is not None:
                axes.plot([rate["low"], rate["high"]], [place, place], color=svg.BLUE, linewidth=2)
            if rate["value"] is not None:
                flagged = axes.plot(rate["value"], place, "o", color=svg.BLUE, markersize=7)
            really = axes.plot(group["departures"] / group["n"], place, "D", markersize=6,
                               color="white", markeredgecolor=svg.VERMILION, markeredgewidth=1.6)  # fmt: skip
        flagged[0].set_label(locale.say("signalés, intervalle à 95 %", "flagged, 95% interval"))
        really[0].set_label(locale.say("réellement partis", "really left"))
        axes.set_yticks(
            range(len(groups)), [locale.value(group["group"], audit["field"]) for group in groups]
        )
        axes.set_xlim(left=0)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: locale.percent(share)))
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        figure.legend(loc="outside upper left", ncols=2)

    label = locale.say(
        "{field} : part signalée et part partie de chaque groupe ; les chiffres sont dans le tableau.",
        "{field}: share flagged and share who left in each group; the figures are in the table.",
        field=locale.label(audit["field"]),
    )
    return svg.draw(f"fairness-{audit['field']}", label, (6.4, 0.9 + 0.34 * len(groups)), paint)
