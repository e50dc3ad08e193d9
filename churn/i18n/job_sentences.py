"""What is said of jobs: how they ended, and why something cannot be done with them."""

from collections.abc import Mapping

from churn.core.language import Language, Pair

_FAILURES: Mapping[str, Pair] = {
    "file": (
        "Le fichier n'est pas lisible tel quel : corriger ce qui suit et l'envoyer à nouveau",
        "The file cannot be read as it is: correct what follows and send it again",
    ),
    "rows": (
        "Trop de lignes : 1 000 000 au plus, envoyer plusieurs fichiers",
        "Too many rows: at most 1,000,000, send several files",
    ),
    "memory": (
        "Le fichier demande plus de mémoire qu'il n'en est accordé : envoyer plusieurs fichiers plus petits",
        "The file needs more memory than it may have: send several smaller files",
    ),
    "time": (
        "Le traitement a pris plus de temps que permis : envoyer plusieurs fichiers plus petits",
        "The work took longer than it may: send several smaller files",
    ),
    "database": (
        "La base de données a refusé les prédictions : réessayer plus tard, ou prévenir l'exploitant",
        "The database refused the predictions: try again later, or tell the operator",
    ),
    "disk": (
        "Le disque n'a pas de place pour les résultats : réessayer plus tard, ou prévenir l'exploitant",
        "The disk has no room for the results: try again later, or tell the operator",
    ),
    "model": (
        "Le modèle de ce traitement n'est plus là ou a échoué à son auto-test : envoyer le fichier à nouveau",
        "The model of this job is gone or failed its self-test: send the file again",
    ),
    "ended": (
        "Le traitement s'est interrompu plusieurs fois : le fichier est peut-être trop grand ou endommagé",
        "The work was interrupted several times: the file may be too large, or damaged",
    ),
    "internal": (
        "Erreur interne : elle est enregistrée, réessayer plus tard",
        "Internal error: it is recorded, try again later",
    ),
}


def failure(kind: str, language: Language) -> str:
    """Return why a job failed, and what to do."""
    return _FAILURES[kind][language == "en"]


_CONFLICTS: Mapping[str, Pair] = {
    "job_not_done": (
        "Le traitement n'est pas terminé : ses résultats ne sont lisibles qu'à l'état « done »",
        "The job is not done: its results can be read in the state “done” only",
    ),
    "job_not_checked": (
        "Seul un traitement à l'état « checked » peut être lancé",
        "Only a job in the state “checked” can be scored",
    ),
    "job_no_rejects": (
        "Aucune ligne n'a été rejetée",
        "No row was rejected",
    ),
}


def conflict(kind: str, language: Language) -> str:
    """Return why something cannot be done with a job in its state."""
    return _CONFLICTS[kind][language == "en"]


def too_many(language: Language) -> str:
    """Return that a caller has too many files."""
    if language == "en":
        return "You have too many files here: wait until some are done, or gone after an hour"
    return "Vous avez trop de fichiers ici : attendre que certains soient traités, ou effacés après une heure"


def no_room(language: Language) -> str:
    """Return that there is no room for files."""
    if language == "en":
        return "There is no room for more files now: try again once other jobs have ended"
    return (
        "Il n'y a plus de place pour d'autres fichiers : réessayer quand d'autres traitements auront pris fin"
    )


def form_expected(language: Language) -> str:
    """Return that a body is not the form that was expected."""
    if language == "en":
        return "Unsupported content type: send the file in the field “file” of a multipart/form-data form"
    return (
        "Type de contenu non pris en charge : envoyer le fichier dans le champ « file » d'un formulaire "
        "multipart/form-data"
    )


FILE_ERRORS: Mapping[str, Pair] = {
    "format": ("attendu : csv, xlsx ou parquet", "expected csv, xlsx or parquet"),
    "decimal": ("attendu : un point ou une virgule", "expected a point or a comma"),
    "lang": ("attendu : fr ou en", "expected fr or en"),
    "form_invalid": (
        "le formulaire n'est pas lisible : attendu du multipart/form-data complet",
        "the form cannot be read: expected whole multipart/form-data",
    ),
    "form_field": (
        "attendu : des fichiers dans le champ « file », et rien d'autre",
        "expected files in the field “file”, and nothing else",
    ),
    "file_missing": ("attendu : un fichier", "expected a file"),
    "file_empty": ("le fichier est vide", "the file is empty"),
    "file_format": (
        "attendu : un fichier .csv (.txt, .tsv), .xlsx, .ods ou .parquet",
        "expected a .csv (.txt, .tsv), .xlsx, .ods or .parquet file",
    ),
    "file_old_excel": (
        "ancien format d'Excel : l'enregistrer au format .xlsx",
        "Excel's old format: save it as .xlsx",
    ),
    "file_macros": (
        "classeur à macros ou binaire : l'enregistrer au format .xlsx, sans macros",
        "a workbook with macros, or a binary one: save it as .xlsx, without macros",
    ),
    "extract_files": (
        "attendu : un seul fichier, ou tous ceux du dictionnaire, chacun sous son nom",
        "expected one file, or all those of the dictionary, each under its name",
    ),
}  # by their kind, as those of fields
