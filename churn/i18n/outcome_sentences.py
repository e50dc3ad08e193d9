"""Outcomes in words: why one is not taken, and what to do."""

from collections.abc import Mapping

from churn.core.language import Pair

# By field of a request.
EXPECTED: Mapping[str, Pair] = {
    "outcomes": (
        "une liste de 1 à 10 000 objets avec employee_id, left_on et known_until",
        "a list of 1 to 10,000 objects with employee_id, left_on and known_until",
    ),
    "employee_id": (
        "un entier ≥ 0 ou un texte de 1 à 64 caractères",
        "an integer ≥ 0 or a text of 1 to 64 characters",
    ),
    "left_on": ("un jour comme 2026-12-31, ou null", "a day as in 2026-12-31, or null"),
    "known_until": ("un jour comme 2026-12-31", "a day as in 2026-12-31"),
}
# By fault (`churn.schemas.outcome`).
FAULTS: Mapping[str, Pair] = {
    "unscored": (
        "le journal n'a aucune prédiction sur cet employé : vérifiez le matricule",
        "the journal has no prediction about this employee: check the id",
    ),
    "hidden": (
        "le journal ne garde que des pseudonymes : définissez la CHURN_PSEUDONYM_KEY d'origine",
        "the journal keeps pseudonyms only: set the CHURN_PSEUDONYM_KEY that made them",
    ),
    "too_early": (
        "cela s'arrête avant la première prédiction sur cet employé : il n'y a rien à en apprendre",
        "this ends before the first prediction about this employee: nothing can be learned of it",
    ),
    "twice": (
        "une autre ligne concerne le même employé : n'en gardez qu'une",
        "another row is about the same employee: keep one",
    ),
    "future": (
        "un jour est après aujourd'hui : indiquez ce qui est déjà connu",
        "a day is after today: say what is known already",
    ),
    "after_known": (
        "le départ est après le jour jusqu'auquel la situation est connue : corrigez l'un des deux",
        "the leaving day is after the day until which this is known: correct one of the two",
    ),
    "no_id": ("le matricule manque", "the employee's id is missing"),
    "no_day": (
        "attendu : le jour du départ comme 2026-12-31, ou une cellule vide si la personne est encore là",
        "expected the leaving day as in 2026-12-31, or an empty cell for somebody who is still there",
    ),
}
