"""What the audit and the challengers say, in sentences."""

from collections.abc import Mapping
from typing import Any

from churn import domain
from churn.report.voice import Voice

FOUR_FIFTHS = 0.8


def four_fifths(audit: Mapping[str, Any], voice: Voice) -> str:
    """Return how the ratio of a field's selection rates reads by the four-fifths rule."""
    ratio = audit["ratio"]
    value, low, high = ratio["value"], ratio["low"], ratio["high"]
    if value is None:
        return voice.say(
            "Aucun groupe n'est signalé : il n'y a pas de rapport à lire.",
            "No group is flagged: there is no ratio to read.",
        )
    figure = voice.say(
        "Le groupe le moins signalé l'est {ratio} fois autant que le plus signalé.",
        "The least flagged group is flagged {ratio} times as often as the most flagged.",
        ratio=voice.estimate(ratio),
    )
    if audit["passes_four_fifths"]:
        verdict = voice.say(
            "C'est au moins quatre cinquièmes : la règle ne demande pas d'explication.",
            "That is at least four fifths: the rule asks for no explanation.",
        )
    else:
        verdict = voice.say(
            "C'est moins que quatre cinquièmes (0,80) : la règle demande une explication.",
            "That is less than four fifths (0.80): the rule asks for an explanation.",
        )
    sentences = [figure, verdict]
    if low is not None and high is not None:
        sentences.append(_certainty(low, high, voice))
    return " ".join(sentences)


def _certainty(low: float, high: float, voice: Voice) -> str:
    if high < FOUR_FIFTHS:
        return voice.say(
            "Tout l'intervalle est au-dessous de 0,80 : le hasard seul ne l'explique guère.",
            "The whole interval is below 0.80: chance alone hardly explains it.",
        )
    if low >= FOUR_FIFTHS:
        return voice.say("Tout l'intervalle est au-dessus de 0,80.", "The whole interval is above 0.80.")
    return voice.say(
        "L'intervalle contient 0,80 : ces données ne permettent pas de trancher.",
        "The interval holds 0.80: these data cannot settle it.",
    )


def groups(audit: Mapping[str, Any], voice: Voice) -> list[str]:
    """Return what stands out among a field's groups that are not small."""
    large = [group for group in audit["groups"] if not group["small"]]
    sentences = [_gap(group, voice) for group in large if _beyond_chance(group["calibration_gap"])]
    rated = [group for group in large if group["selection_rate"]["value"] is not None]
    if len(rated) > 1:
        flagged = max(rated, key=lambda group: group["selection_rate"]["value"])
        leaving = max(rated, key=lambda group: group["departures"] / group["n"])
        if flagged is not leaving:
            sentences.append(voice.say(
                "À expliquer : le groupe le plus signalé ({flagged}) n'est pas celui qui part le plus "
                "({leaving}).",
                "To be explained: the group flagged most ({flagged}) is not the one that leaves most "
                "({leaving}).",
                flagged=voice.value(flagged["group"]),
                leaving=voice.value(leaving["group"]),
            ))  # fmt: skip
    return sentences


def _beyond_chance(gap: Mapping[str, Any]) -> bool:
    return gap["low"] is not None and gap["high"] is not None and (gap["low"] > 0 or gap["high"] < 0)


def _gap(group: Mapping[str, Any], voice: Voice) -> str:
    values = {
        "group": voice.value(group["group"]),
        "points": voice.points(group["calibration_gap"]),
    }
    if group["calibration_gap"]["value"] > 0:
        return voice.say(
            "{group} : risque surestimé en moyenne ({points} points, plus que le hasard).",
            "{group}: risk overstated on average ({points} points, more than chance).",
            **values,
        )
    return voice.say(
        "{group} : risque sous-estimé en moyenne ({points} points, plus que le hasard).",
        "{group}: risk understated on average ({points} points, more than chance).",
        **values,
    )


def not_audited(facts: Mapping[str, Any], voice: Voice) -> str:
    """Return the protected fields for which there is no audit; empty where there is one for each."""
    audited = {audit["field"] for audit in facts["fairness"]}
    return voice.labels([field.name for field in domain.PROTECTED if field.name not in audited])


def price_of_protection(facts: Mapping[str, Any], voice: Voice) -> str:
    """Return what leaving the protected fields out costs; empty where no challenger tells."""
    others = [one for one in facts["challengers"] if one["name"] == "with_protected"]
    if not others:
        return ""
    own, other = facts["metrics"]["roc_auc"], others[0]["metrics"]["roc_auc"]
    difference = other["mean"] - own["mean"]
    size = (
        voice.say("moins que l'écart entre les plis", "less than the spread between folds")
        if abs(difference) < own["sd"]
        else voice.say("plus que l'écart entre les plis", "more than the spread between folds")
    )
    return voice.say(
        "Le prix des champs protégés laissés de côté : avec eux, le ROC-AUC serait de {other} au lieu de "
        "{own}, soit {difference}, {size} (± {sd}).",
        "The price of leaving the protected fields out: with them, ROC-AUC would be {other} instead of "
        "{own}, that is {difference}, {size} (± {sd}).",
        other=voice.number(other["mean"], 3),
        own=voice.number(own["mean"], 3),
        difference=("+" if difference > 0 else "") + voice.number(difference, 3),
        size=size,
        sd=voice.number(own["sd"], 3),
    )
