"""Grounds on which the law forbids to treat people differently, and the names of columns that tell of them.

French labour code, art. L1132-1; directives 2000/43/EC (origin), 2000/78/EC (age, disability, belief,
orientation) and 2006/54/EC (sex); GDPR, art. 9 (health, union membership and other special categories).
"""

import re
from dataclasses import dataclass

from churn.drafting.name_words import has, words_of


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground; `law` forbids it, and a column has it where `pattern` is among the words of its name."""

    name: str
    law: str
    pattern: str


_CODE = "Code du travail, art. L1132-1"

GROUNDS = (
    Ground("sex", f"{_CODE}; directive 2006/54/EC", "sex|sexe|gender|genre|civilite|salutation"),
    Ground("age", f"{_CODE}; directive 2000/78/EC", "age|birth|birthdate|birthday|dob|naissance|ne_le"),
    Ground(
        "family situation",
        _CODE,
        "marital|maritalstatus|maritaldesc|matrimonial|familial|familiale|married|marie|children|enfants?|"
        "ayant_enfants|pregnan\\w*|grossesse|maternit\\w*|dependents?",
    ),
    Ground(
        "origin",
        f"{_CODE}; directive 2000/43/EC",
        "nationalit\\w*|citizen\\w*|citizendesc|origin\\w*|ethnic\\w*|race|racedesc|hispanic\\w*|birthplace|"
        "pays_de_naissance|country_of_birth|native_language|langue_maternelle",
    ),
    Ground(
        "disability or health",
        f"{_CODE}; directive 2000/78/EC; GDPR, art. 9",
        "disab\\w*|handicap\\w*|rqth|health|sante|medical|maladie|sick\\w*|illness",
    ),
    Ground("union membership", f"{_CODE}; GDPR, art. 9", "union|unionized|syndic\\w*|syndicat"),
    Ground(
        "belief or orientation",
        f"{_CODE}; directive 2000/78/EC; GDPR, art. 9",
        "religi\\w*|belief|croyance|orientation_sexuelle|sexual_orientation|politi\\w*",
    ),
    Ground(
        "place of residence",
        _CODE,
        "zip|zipcode|zip_code|postcode|postal|postal_code|code_postal|address|adresse|city|ville|commune|"
        "domicile|quartier",
    ),
)
# Of the words of a distance, none is an address.
_NO_GROUND = re.compile(r"(?:^|_)(?:distance|trajet|commute)(?:_|$)|age_du_poste|stage|satisf")


def ground_of(column: str) -> Ground | None:
    """Return the ground that a column's name tells of, if any."""
    if _NO_GROUND.search(words_of(column)):
        return None
    return next((ground for ground in GROUNDS if has(ground.pattern, column)), None)
