"""The headings of files of scores, as people read them."""

from collections.abc import Mapping
from typing import Final

from churn.core.language import LANGUAGES, Language, Pair

_HEADINGS: Final[Mapping[str, Pair]] = {
    "employee_id": ("Matricule", "Employee id"),
    "row": ("Ligne du fichier", "Row of the file"),
    "probability": ("Probabilité de départ", "Probability of leaving"),
    "prediction": ("Risque signalé (1 : oui)", "Flagged (1: yes)"),
    "band": ("Niveau de risque", "Risk band"),
    "reason_1": ("Première raison", "First reason"),
    "reason_2": ("Deuxième raison", "Second reason"),
    "reason_3": ("Troisième raison", "Third reason"),
    "warnings": ("Avertissements", "Warnings"),
    "model": ("Modèle", "Model"),
    "threshold": ("Seuil", "Threshold"),
    "journalled": ("Consigné dans le journal", "Journalled"),
    "prediction_id": ("Identifiant de la prédiction", "Prediction id"),
    "file": ("Fichier", "File"),
    "line": ("Ligne du fichier", "Line of the file"),
    "column": ("Colonne", "Column"),
    "value": ("Valeur", "Value"),
    "expected": ("Ce qui était attendu", "What was expected"),
}


def heading(column: str, language: Language | None) -> str:
    """Return the heading of a column; None is the language of programs."""
    return column if language is None else _HEADINGS[column][LANGUAGES.index(language)]
