"""Every way to write the names of an employee's fields, for the tests that compare all ways in."""

import unicodedata
from collections.abc import Callable
from typing import Any

from churn.dictionary.field import Field
from churn.dictionary.technova import TECHNOVA

# An employee without unknown fields, as all ways in accept it: numbers, and texts for the rest.
WHOLE: dict[str, Any] = {
    "employee_id": 7,
    "age": 41,
    "genre": "F",
    "statut_marital": "Marié(e)",
    "revenu_mensuel": 4321.5,
    "departement": "Consulting",
    "poste": "Tech Lead",
    "niveau_hierarchique_poste": 2,
    "nombre_experiences_precedentes": 1,
    "annee_experience_totale": 12,
    "annees_dans_l_entreprise": 5,
    "annees_dans_le_poste_actuel": 3,
    "satisfaction_employee_environnement": 2,
    "satisfaction_employee_nature_travail": 3,
    "satisfaction_employee_equipe": 4,
    "satisfaction_employee_equilibre_pro_perso": 1,
    "note_evaluation_precedente": 3,
    "note_evaluation_actuelle": 4,
    "heure_supplementaires": "Non",
    "augmentation_salaire_precedente": 14,
    "nombre_participation_pee": 1,
    "nb_formations_suivies": 2,
    "distance_domicile_travail": 7.25,
    "niveau_education": 3,
    "domaine_etude": "Marketing",
    "frequence_deplacement": "Occasionnel",
    "annees_depuis_la_derniere_promotion": 2,
    "annees_sous_responsable_actuel": 1,
}
TARGET = {"a_quitte_l_entreprise": "Non"}
# Other columns of the extracts, with values.
PASSED_OVER = {
    "nombre_heures_travailless": 80,
    "nombre_employee_sous_responsabilite": 1,
    "ayant_enfants": "Y",
    "eval_number": "E_7",
    "code_sondage": "000007",
}

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "with spaces around": lambda name: f"  {name} ",
    "with spaces": lambda name: name.replace("_", " ").replace("-", " "),
    "with no-break spaces": lambda name: name.replace("_", "\N{NO-BREAK SPACE}"),
    "with dashes": lambda name: name.replace("_", "-").replace(" ", "-"),
    "over two lines": lambda name: name.replace("_", "\n", 1).replace(" ", "\n", 1),
    "with a typographer's apostrophe": lambda name: name.replace("'", "’").replace("_l_", "_l’"),
    "with accents apart": lambda name: unicodedata.normalize("NFD", name),
    "without accents": lambda name: "".join(
        c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)
    ),
}


def spellings(field: Field) -> list[str]:
    """Return every promised name of a field: its own, its aliases and its labels."""
    return [field.name, *field.aliases, *field.labels]


ROUNDS = range(max(len(spellings(field)) for field in TECHNOVA.fields))


def renamed(name: str, way: str, number: int) -> str:
    """Return a spelling of a name: each round takes the next of its names."""
    field = TECHNOVA.by_name.get(name)
    names = spellings(field) if field else [name]
    return WAYS[way](names[number % len(names)])
