"""What a column's name alone may say of it: an id, who has left, a date of leaving, a scale, a person."""

from churn.drafting.name_words import has

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
_SOMEBODY = (
    "name|names|firstname|lastname|surname|nom|prenom|fullname|email|e_mail|mail|courriel|phone|telephone|tel|"
    "iban|ssn|nir|manager|managername|responsable|employee_name"
)


def is_identifier(name: str) -> bool:
    """Return whether a name sounds like that of ids."""
    return has(_IDENTIFIER, name)


def is_target(name: str) -> bool:
    """Return whether a name sounds like who has left."""
    return has(_TARGET, name)


def is_leaving(name: str) -> bool:
    """Return whether a name sounds like the leaving of somebody: its day, its reason."""
    return has(_LEAVING, name)


def is_somebody(name: str) -> bool:
    """Return whether a name sounds like what names a person."""
    return has(_SOMEBODY, name)


def is_scale(name: str) -> bool:
    """Return whether a name sounds like that of a scale or a count, and so not of codes."""
    return has(_SCALE, name)
