"""What a column's name alone may say of it: an id, a date of hire or of leaving, who has left, a name."""

import re

from churn.dictionary.folding import fold_name

_IDENTIFIER = (
    "id|ids|matricule|badge|number|numero|num|code|ref|reference|key|uuid|employee|employeenumber|empid"
)
_SCALE = (
    "satisfaction|satisfied|rating|rate|score|level|grade|balance|involvement|education|engagement|evaluation|"
    "performance|note|niveau|nb|nombre|number|num|count|times|years?|annees?|projects?|trainings?"
)
_TARGET = (
    "attrition|left|churn|churned|turnover|quit|leaver|exited|terminated|termd|resigned|departed|"
    "has_left|a_quitte\\w*|demission\\w*|sorti|parti|depart|event"
)
_LEAVING = (
    "terminat\\w*|leav\\w*|exit|exited|departure|depart|sortie|resign\\w*|quit|end|fin|separation|last_day|"
    "termreason|notice|preavis"
)
_HIRING = "hire\\w*|hiring|hired|embauche|entree|entry|join\\w*|start\\w*|debut|arrivee|seniority|recrutement"
_SOMEBODY = (
    "name|names|firstname|lastname|surname|nom|prenom|fullname|email|e_mail|mail|courriel|phone|telephone|tel|"
    "iban|ssn|nir|manager|managername|responsable|employee_name"
)


def is_identifier(name: str) -> bool:
    """Return whether a name sounds like that of ids."""
    return _has(_IDENTIFIER, name)


def is_target(name: str) -> bool:
    """Return whether a name sounds like who has left."""
    return _has(_TARGET, name)


def is_leaving(name: str) -> bool:
    """Return whether a name sounds like the leaving of somebody: its day, its reason."""
    return _has(_LEAVING, name)


def is_hiring(name: str) -> bool:
    """Return whether a name sounds like the day that somebody came."""
    return _has(_HIRING, name)


def is_somebody(name: str) -> bool:
    """Return whether a name sounds like what names a person."""
    return _has(_SOMEBODY, name)


def is_scale(name: str) -> bool:
    """Return whether a name sounds like that of a scale or a count, and so not of codes."""
    return _has(_SCALE, name)


def _has(words: str, name: str) -> bool:
    folded = fold_name(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name))
    return re.search(rf"(?:^|_)(?:{words})(?:_|$)", folded) is not None
