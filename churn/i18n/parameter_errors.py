"""What is wrong with a parameter in an address, by the kind of the error, in French and in English."""

from collections.abc import Mapping

from churn.core.language import Pair

PARAMETER_ERRORS: Mapping[str, Pair] = {
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
