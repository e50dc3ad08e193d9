"""What a model must not be taken for: warnings of the one at hand, and the limits of every one."""

from collections.abc import Mapping
from typing import Any

from churn.core.language import Pair
from churn.i18n import terms
from churn.i18n.formatting import Locale

_ALONE: Pair = (
    "Les effets s'additionnent sans se combiner : le modèle ne connaît pas d'interaction entre deux champs.",
    "Effects add up and never combine: the model knows no interaction between two fields.",
)
_PAIRED: Pair = (
    "Les effets s'additionnent ; seules les paires de champs que le rapport montre se combinent. Le modèle "
    "ne connaît pas d'autre interaction.",
    "Effects add up; only the pairs of fields that the report shows combine. The model knows no other "
    "interaction.",
)
_UNDATED: Pair = (
    "Les données ne disent pas à quelle échéance les départs ont eu lieu : la probabilité n'a pas "
    "d'échéance connue.",
    "The data do not say over what period people left: the probability has no known horizon.",
)
_DATED: Pair = (
    "La probabilité est celle de partir dans les {days} jours : le modèle a appris, du journal, qui était "
    "parti dans ce délai après une prédiction. Agir sur les prédictions a changé ce qu'il y a appris.",
    "The probability is that of leaving within {days} days: the model learned from the journal who had left "
    "so soon after a prediction. Acting on predictions has changed what there was to learn.",
)
_LIMITS: tuple[Pair, ...] = (
    (
        "Une aide à la conversation, jamais une décision : aucune sanction, promotion, embauche ou rupture "
        "ne doit en découler.",
        "A help to a conversation, never a decision: no sanction, promotion, hiring or dismissal may follow "
        "from it.",
    ),
    (
        "Appris sur une seule entreprise, à un seul moment : rien ne dit que les mêmes causes joueront "
        "ailleurs ou plus tard. À ré-apprendre et ré-auditer régulièrement.",
        "Learned from one company, at one moment: nothing says that the same causes will be at work "
        "elsewhere or later. Train and audit again regularly.",
    ),
    (
        "Ces associations ne sont pas des causes : changer un champ ne change pas forcément le risque réel "
        "de la personne.",
        "These are associations, not causes: changing a field need not change the person's real risk.",
    ),
    _UNDATED,
    _ALONE,
    (
        "Un champ inconnu ne pèse rien, et le score en devient moins précis ; hors de la plage observée, "
        "l'effet d'un nombre reste celui du bord.",
        "An unknown field weighs nothing, and the score becomes less precise for it; outside the observed "
        "range, a number's effect stays that of the edge.",
    ),
)


Warning = tuple[Pair, Pair]  # a title, and what follows its colon

_NO_SIGNAL: Warning = (
    ("Pas mieux que le hasard", "No better than chance"),
    (
        "ces données ne montrent pas qui part ({area} ; le hasard donne 0,50). Ce modèle ne doit pas être "
        "utilisé. Davantage d'employés ou d'autres champs peuvent aider.",
        "these data do not show who leaves ({area}; chance gives 0.50). This model must not be used. More "
        "employees, or other fields, may help.",
    ),
)
_SAMPLE: Warning = (
    ("Données fictives", "Made-up data"),
    (
        "ce modèle a été appris sur l'échantillon livré avec le logiciel. Ces personnes n'existent pas, et "
        "les chiffres ne disent presque rien d'une vraie entreprise. À n'utiliser que pour une "
        "démonstration.",
        "this model was trained on the sample that comes with the software. These people do not exist, "
        "and the figures say next to nothing about a real company. For demonstration only.",
    ),
)
_PROTECTED: Warning = (
    ("Champs protégés utilisés", "Protected fields in use"),
    (
        "{names}. Ce sont des motifs de discrimination interdits (Code du travail, art. L1132-1) : ce modèle "
        "ne doit pas servir pour de vraies personnes sans une raison solide, examinée par un juriste.",
        "{names}. These are prohibited grounds of discrimination (French labour code, art. L1132-1): this "
        "model must not be used on real people without a sound reason, examined by a lawyer.",
    ),
)


def limits(locale: Locale, facts: Mapping[str, Any] | None = None) -> list[str]:
    """Return what to bear in mind of every model, and of the one with these `facts`."""
    facts = facts or {}
    paired, journal = facts.get("candidate", {}).get("pairs"), facts.get("journal") or {}
    of_this = {_ALONE: _PAIRED if paired else _ALONE, _UNDATED: _DATED if journal else _UNDATED}
    return [locale.say(*of_this.get(limit, limit), days=journal.get("horizon_days")) for limit in _LIMITS]


def warnings(facts: Mapping[str, Any], locale: Locale) -> list[tuple[str, str]]:
    """Return what is wrong with this model, the worst first: each a title and what follows its colon.

    `facts` are those of its report; a model may be too old to have a signal.
    """
    signal, protected = facts.get("signal"), with_protected(facts, locale)
    warnings = []
    if signal and not signal["shown"]:
        warnings.append(no_signal(signal, locale))
    if facts.get("sample"):
        warnings.append(_say(_SAMPLE, locale))
    if protected:
        warnings.append(_say(_PROTECTED, locale, names=locale.labels(protected)))
    return warnings


def no_signal(signal: Mapping[str, Any], locale: Locale) -> tuple[str, str]:
    """Return the warning that the figures could be chance, with their interval, and what may help."""
    return _say(_NO_SIGNAL, locale, area=terms.roc_auc(signal, locale))


def _say(warning: Warning, locale: Locale, **values: object) -> tuple[str, str]:
    title, text = warning
    return locale.pick(title), locale.say(*text, **values)


def cautions(facts: Mapping[str, Any], locale: Locale) -> list[str]:
    """Return what people must know about single fields that the model uses."""
    used = (locale.dictionary.by_name.get(name) for name in facts["fields"])
    return [locale.pick(field.caution) for field in used if field and field.caution]


def with_protected(facts: Mapping[str, Any], locale: Locale) -> list[str]:
    """Return the protected fields that the model sees."""
    return [field.name for field in locale.dictionary.protected if field.name in facts["fields"]]
