"""What the model is for and what it must not be used for; for the page and the card."""

from collections.abc import Mapping
from typing import Any

from churn.core.language import Pair
from churn.i18n import limits
from churn.i18n.formatting import Locale

_USES: tuple[Pair, ...] = (
    (
        "Aider les RH à ouvrir une conversation avec une personne : un risque élevé est une invitation à "
        "l'écouter, jamais une conclusion.",
        "Helping HR to open a conversation with a person: a high risk is an invitation to listen, never a "
        "conclusion.",
    ),
    (
        "Préparer les effectifs à l'échelle d'un service ou de l'entreprise : les risques s'additionnent en "
        "un nombre attendu de départs.",
        "Planning for a department or the company: the risks add up to an expected number of departures.",
    ),
    (
        "Repérer ce qui pèse sur les départs en général, pour améliorer les conditions de travail.",
        "Finding what weighs on departures in general, to improve how people work.",
    ),
)

_NOT_FOR: tuple[Pair, ...] = (
    ("Licencier, sanctionner, ou fixer l'ordre des licenciements économiques.",
     "Dismissing, sanctioning, or ranking people for redundancy."),
    ("Décider d'une rémunération, d'une promotion, d'une embauche ou d'une mutation.",
     "Deciding on pay, promotion, hiring or transfer."),
    ("Surveiller des personnes à leur insu, ou noter leur travail ou leur loyauté.",
     "Watching people without their knowledge, or rating their work or loyalty."),
    ("Décider sans qu'une personne compétente examine la situation et puisse écarter le score.",
     "Deciding without a competent person who looks at the situation and may set the score aside."),
    ("Juger le personnel d'une autre entreprise, sans nouvel apprentissage ni nouvel audit sur ses données.",
     "Judging another company's staff, without training and auditing anew on its data."),
)  # fmt: skip


def uses(locale: Locale) -> list[str]:
    """Return what the model is for."""
    return [locale.pick(pair) for pair in _USES]


def not_for(locale: Locale) -> list[str]:
    """Return what the model must not be used for."""
    return [locale.pick(pair) for pair in _NOT_FOR]


def excluded(facts: Mapping[str, Any], locale: Locale) -> str:
    """Return which fields the model does without and why, and which of those it has is a proxy."""
    protected = {field.name for field in locale.dictionary.protected}
    left_out = [name for name in facts["left_out"] if name in protected]
    others = [name for name in facts["left_out"] if name not in protected]
    sentences = []
    if left_out:
        sentences.append(locale.say(
            "Écartés car ils sont des motifs de discrimination interdits : {names}. Ils ne servent qu'à "
            "l'audit d'équité.",
            "Left out because they are prohibited grounds of discrimination: {names}. They serve the "
            "fairness audit only.",
            names=locale.labels(left_out),
        ))  # fmt: skip
    if seen := limits.with_protected(facts, locale):
        sentences.append(locale.say(
            "ATTENTION : ce modèle utilise des champs protégés : {names}.",
            "CAUTION: this model uses protected fields: {names}.",
            names=locale.labels(seen),
        ))  # fmt: skip
    if others:
        sentences.append(locale.say(
            "Écartés par choix à l'apprentissage : {names}.",
            "Left out by choice when training: {names}.",
            names=locale.labels(others),
        ))  # fmt: skip
    return " ".join([*sentences, *limits.cautions(facts, locale)])
