"""What the audit and the challengers say, in sentences."""

from collections.abc import Mapping
from typing import Any

from churn.i18n import terms
from churn.i18n.formatting import Locale

KINDS = ("linear", "forest", "boosting", "ebm")  # of challengers: the others are this model of other fields
AHEAD = 0.01  # by more than so much, another kind of model is clearly better


def groups(audit: Mapping[str, Any], locale: Locale) -> list[str]:
    """Return what stands out among a field's groups that are large, and of which enough people left."""
    large = [group for group in audit["groups"] if not (group["small"] or group["few_departures"])]
    sentences = [
        _gap(audit["field"], group, locale) for group in large if _beyond_chance(group["calibration_gap"])
    ]
    rated = [group for group in large if group["selection_rate"]["value"] is not None]
    if len(rated) > 1:
        flagged = max(rated, key=lambda group: group["selection_rate"]["value"])
        leaving = max(rated, key=lambda group: group["departures"] / group["n"])
        if flagged is not leaving:
            sentences.append(locale.say(
                "À expliquer : le groupe le plus signalé ({flagged}) n'est pas celui qui part le plus "
                "({leaving}).",
                "To be explained: the group flagged most ({flagged}) is not the one that leaves most "
                "({leaving}).",
                flagged=locale.value(flagged["group"], audit["field"]),
                leaving=locale.value(leaving["group"], audit["field"]),
            ))  # fmt: skip
    return sentences


def mark(group: Mapping[str, Any], locale: Locale) -> str:
    """Return why a group's figures say little, in a word or two; empty where they do not."""
    if group["small"]:
        return locale.say("petit", "small")
    return locale.say("peu de départs", "few left") if group["few_departures"] else ""


def _beyond_chance(gap: Mapping[str, Any]) -> bool:
    return gap["low"] is not None and gap["high"] is not None and (gap["low"] > 0 or gap["high"] < 0)


def _gap(field: str, group: Mapping[str, Any], locale: Locale) -> str:
    values = {
        "group": locale.value(group["group"], field),
        "points": locale.points(group["calibration_gap"]),
    }
    if group["calibration_gap"]["value"] > 0:
        return locale.say(
            "{group} : risque surestimé en moyenne ({points} points, plus que le hasard).",
            "{group}: risk overstated on average ({points} points, more than chance).",
            **values,
        )
    return locale.say(
        "{group} : risque sous-estimé en moyenne ({points} points, plus que le hasard).",
        "{group}: risk understated on average ({points} points, more than chance).",
        **values,
    )


def not_audited(facts: Mapping[str, Any], locale: Locale) -> str:
    """Return the protected fields for which there is no audit; empty where there is one for each."""
    audited = {audit["field"] for audit in facts["fairness"]}
    return locale.labels(field.name for field in locale.dictionary.protected if field.name not in audited)


def price_of_protection(facts: Mapping[str, Any], locale: Locale) -> str:
    """Return what leaving the protected fields out costs; empty where no challenger tells."""
    others = [one for one in facts["challengers"] if one["name"] == "with_protected"]
    if not others:
        return ""
    own, other = facts["metrics"]["roc_auc"], others[0]["metrics"]["roc_auc"]
    difference = other["mean"] - own["mean"]
    size = (
        locale.say("moins que l'écart entre les plis", "less than the spread between folds")
        if abs(difference) < own["sd"]
        else locale.say("plus que l'écart entre les plis", "more than the spread between folds")
    )
    return locale.say(
        "Le prix des champs protégés laissés de côté : avec eux, le ROC-AUC serait de {other} au lieu de "
        "{own}, soit {difference}, {size} (± {sd}).",
        "The price of leaving the protected fields out: with them, ROC-AUC would be {other} instead of "
        "{own}, that is {difference}, {size} (± {sd}).",
        other=locale.number(other["mean"], 3),
        own=locale.number(own["mean"], 3),
        difference=("+" if difference > 0 else "") + locale.number(difference, 3),
        size=size,
        sd=locale.number(own["sd"], 3),
    )


def ahead(facts: Mapping[str, Any], locale: Locale) -> list[str]:
    """Return, for each other kind of model that is clearly better than this one, where and by how much."""
    sentences = []
    for one in facts["challengers"]:
        gains = {
            name: one["metrics"][name]["mean"] - facts["metrics"][name]["mean"]
            for name in ("roc_auc", "average_precision")
        }
        clear = [
            f"{terms.metric_name(name, locale)} +{locale.number(gain, 3)}"
            for name, gain in gains.items()
            if gain > AHEAD
        ]
        if clear and one["name"] in KINDS:
            sentences.append(
                locale.say(
                    "{kind} fait nettement mieux : {figures}.",
                    "{kind} does clearly better: {figures}.",
                    kind=locale.pick(terms.CHALLENGERS[one["name"]]),
                    figures=", ".join(clear),
                )
            )
    return sentences
