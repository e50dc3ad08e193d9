"""The four-fifths rule: how a fairness audit reads by it, on the console as in the report."""

from collections.abc import Mapping
from typing import Any

from churn.i18n.formatting import Locale


def reading(audit: Mapping[str, Any], locale: Locale) -> str:
    """Return how the ratio of a field's selection rates reads by the four-fifths rule."""
    sentences = [_ratio(audit, locale), _verdict(audit, locale)]
    if apart := [group["group"] for group in audit["groups"] if group["small"]]:
        sentences.append(locale.say(
            "Laissés de côté, car petits : {groups}.",
            "Set apart, as they are small: {groups}.",
            groups=", ".join(locale.value(group, audit["field"]) for group in apart),
        ))  # fmt: skip
    return " ".join(sentence for sentence in sentences if sentence)


def _ratio(audit: Mapping[str, Any], locale: Locale) -> str:
    if sum(not group["small"] for group in audit["groups"]) < 2:
        return locale.say(
            "Moins de deux groupes sont assez grands pour être comparés.",
            "Fewer than two groups are large enough to be compared.",
        )
    if audit["ratio"]["value"] is None:
        return locale.say(
            "Personne n'est signalé : il n'y a pas de rapport à lire.",
            "Nobody is flagged: there is no ratio to read.",
        )
    return locale.say(
        "Le groupe le moins signalé l'est {ratio} fois autant que le plus signalé.",
        "The least flagged group is flagged {ratio} times as often as the most flagged.",
        ratio=locale.estimate(audit["ratio"]),
    )


def _verdict(audit: Mapping[str, Any], locale: Locale) -> str:
    if audit["four_fifths"] == "passes":
        return locale.say(
            "Tout l'intervalle atteint quatre cinquièmes (0,80) : la règle ne demande pas d'explication.",
            "The whole interval reaches four fifths (0.80): the rule asks for no explanation.",
        )
    if audit["four_fifths"] == "fails":
        return locale.say(
            "Tout l'intervalle est sous quatre cinquièmes (0,80) : la règle demande une explication, et le "
            "hasard seul ne l'explique guère.",
            "The whole interval is below four fifths (0.80): the rule asks for an explanation, and chance "
            "alone hardly gives one.",
        )
    if audit["ratio"]["value"] is None:
        return ""
    return locale.say(
        "L'intervalle contient quatre cinquièmes (0,80) : ces données ne permettent pas de trancher.",
        "The interval holds four fifths (0.80): these data cannot settle it.",
    )
