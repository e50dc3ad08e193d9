"""Why a call is refused, in French and in English: its status, and each field that is wrong."""

from churn.core.errors import FieldError, PayloadTooLargeError
from churn.core.language import Language, Pair
from churn.i18n.job_sentences import FILE_ERRORS
from churn.i18n.numbers import number

_FIELD_ERRORS: dict[str, Pair] = {
    **FILE_ERRORS,
    "ambiguous_number": (
        "se lit de deux façons : écrire les milliers sans point ni virgule, les décimales avec un ou deux "
        "chiffres",
        "can be read in two ways: write thousands without a point or comma, and one or two decimals",
    ),
    "missing": ("champ obligatoire", "required field"),
    "unknown_field": ("champ inconnu", "unknown field"),
    "target": (
        "c'est ce que le modèle prédit : à retirer de la demande",
        "this is what the model predicts: remove it from the request",
    ),
    "duplicate_field": (
        "ce champ est déjà donné sous un autre nom",
        "this field is already given under another name",
    ),
    "repeated_field": ("ce champ est donné deux fois", "this field is given twice"),
    "too_many_fields": ("trop de champs pour un employé", "too many fields for one employee"),
    "more_errors": (
        "d'autres erreurs suivent : corriger celles-ci d'abord",
        "there are more errors: correct these first",
    ),
    "json_invalid": ("le corps n'est pas du JSON valide", "the body is not valid JSON"),
    "empty_body": ("le corps est vide : du JSON est attendu", "the body is empty: expected JSON"),
    "same_person": (
        "un changement porte sur la même personne : à retirer des changements",
        "a change is about the same person: remove it from the changes",
    ),
    "object_type": (
        "attendu : un objet JSON de champs et de valeurs",
        "expected a JSON object of fields and values",
    ),
    "flat_object": (
        "attendu : un objet JSON d'1 Mio au plus, sans liste ni objet à l'intérieur, puis une virgule ou ]",
        "expected a JSON object of at most 1 MiB, without lists or objects inside, then a comma or ]",
    ),
    "list_type": ("attendu : une liste JSON d'employés", "expected a JSON list of employees"),
    "too_short": ("attendu : au moins un employé", "expected at least one employee"),
    "identifier": (
        "attendu : un entier ≥ 0 ou un texte de 1 à 64 caractères",
        "expected an integer ≥ 0 or a text of 1 to 64 characters",
    ),
    "unknown_parameter": ("paramètre inconnu", "unknown parameter"),
    "repeated_parameter": (
        "ce paramètre est donné plus d'une fois",
        "this parameter is given more than once",
    ),
    "page_size": ("attendu : un entier de 1 à 200", "expected an integer from 1 to 200"),
    "prediction_id": ("attendu : l'identifiant d'une prédiction", "expected the id of a prediction"),
    "name": ("attendu : un nom de 1 à 128 caractères", "expected a name of 1 to 128 characters"),
    "moment": ("attendu : une date ou un moment ISO 8601", "expected an ISO 8601 date or moment"),
    "zero_or_one": ("attendu : 0 ou 1", "expected 0 or 1"),
    "row_count": ("attendu : un entier de 1 à 10000", "expected an integer from 1 to 10000"),
    "looks": ("attendu : un entier de 1 à 366", "expected an integer from 1 to 366"),
    "horizon": ("attendu : un entier de 1 à 3650", "expected an integer from 1 to 3650"),
    "model_tag": ("aucun modèle ne porte ce nom ici", "there is no model of this name here"),
    "true_or_false": ("attendu : true ou false", "expected true or false"),
}


# Kinds whose sentence is followed by what `churn.i18n.body_hints` says.
HINTED = ("json_invalid", "object_type", "unknown_field")


def field_error(error: FieldError, language: Language) -> str:
    """Return what is wrong with one field of a request and what was expected there."""
    english = language == "en"
    sentence = _FIELD_ERRORS.get(error.kind, ("", ""))[english]
    if error.kind == "unknown_field" and error.field:
        about = f"is {error.field} meant?" if english else f"s'agit-il de {error.field} ?"
        return f"{sentence}: {about}" if english else f"{sentence} : {about}"
    if error.kind in HINTED and error.expected is not None:
        return f"{sentence}: {error.expected[1]}" if english else f"{sentence} : {error.expected[0]}"
    if error.expected is None:
        return sentence or ("invalid value" if english else "valeur invalide")
    about = ("expected " if english else "attendu : ") + error.expected[english]
    if not sentence:
        return about
    return f"{sentence}; {about}" if error.kind == "missing" else sentence


_STATUS: dict[int, Pair] = {
    400: ("Demande illisible", "The request cannot be read"),
    401: ("Identifiant ou mot de passe incorrect", "Incorrect username or password"),
    403: ("Ces droits ne suffisent pas", "These credentials do not reach so far"),
    404: ("Cette adresse n'existe pas", "There is nothing at this address"),
    405: ("Méthode non autorisée à cette adresse", "Method not allowed at this address"),
    408: ("La demande met trop de temps à arriver", "The request takes too long to arrive"),
    409: ("L'état de ce traitement ne le permet pas", "The state of this job does not allow it"),
    415: (
        "Type de contenu non pris en charge : envoyer du JSON avec Content-Type: application/json",
        "Unsupported content type: send JSON with Content-Type: application/json",
    ),
    429: ("Trop de demandes : réessayer plus tard", "Too many requests: try again later"),
    431: ("L'en-tête de la demande est trop long", "The request's head is too large"),
    500: (
        "Erreur interne : elle est enregistrée, réessayer plus tard",
        "Internal error: it is recorded, try again later",
    ),
    503: (
        "Service momentanément indisponible : réessayer dans quelques secondes",
        "Service unavailable for the moment: try again in a few seconds",
    ),
    504: ("Le service a mis trop de temps à répondre", "The service took too long to answer"),
}


def status(code: int, language: Language) -> str:
    """Return the sentence of an HTTP status."""
    fallback = ("Demande refusée", "The request was refused")
    return _STATUS.get(code, _STATUS[500] if code >= 500 else fallback)[language == "en"]


def unusable_model(language: Language) -> str:
    """Return that the model failed its self-test; the server's log and `GET /model` say in what."""
    if language == "en":
        return "The model failed its self-test and does not serve: see GET /model and the server's log"
    return "Le modèle a échoué à son auto-test et ne sert pas : voir GET /model et le journal du serveur"


def cross_site(language: Language) -> str:
    """Return that a request was refused because another site had it sent."""
    if language == "en":
        return "Refused: another site had this browser send it; programs use a token"
    return "Refusé : un autre site l'a fait envoyer par ce navigateur ; un programme utilise un jeton"


_TOO_LARGE: dict[str, Pair] = {
    "byte": ("Corps trop grand : {} octets au plus", "Body too large: at most {} bytes"),
    "row": (
        "Trop de lignes : {} au plus, envoyer plusieurs lots",
        "Too many rows: at most {}, send several batches",
    ),
}


def too_large(error: PayloadTooLargeError, language: Language) -> str:
    """Return how large a body may be."""
    return _TOO_LARGE[error.unit][language == "en"].format(number(error.limit, language))
