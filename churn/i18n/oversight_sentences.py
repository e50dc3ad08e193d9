"""How people oversee the model, in sentences and headings, French and English."""

from collections.abc import Mapping, Sequence

from churn.core.language import Pair

# By verdict.
VERDICTS: Mapping[str, Pair] = {
    "empty": (
        "Il n'y a aucune prédiction dans cette période.",
        "There is no prediction in this period.",
    ),
    "unreviewed": (
        "Personne ne donne son avis : {predictions} prédictions, aucun avis. Si une sur vingt était "
        "examinée, cela n'arriverait pas en {enough}.",
        "Nobody reviews: {predictions} predictions, and no review. If one in twenty were looked at, that "
        "would not happen in {enough}.",
    ),
    "too_few": (
        "On ne peut rien conclure : {reviewed} prédictions examinées, aucun désaccord. À partir de "
        "{enough}, cela voudrait dire quelque chose.",
        "Nothing can be told: {reviewed} predictions reviewed, and no disagreement. From {enough} on it "
        "would mean something.",
    ),
    "unanimous": (
        "Personne n'est jamais en désaccord : {reviewed} prédictions examinées, aucun désaccord. Si les "
        "gens en contestaient une sur vingt, cela n'arriverait pas. Les avis sont peut-être donnés sans "
        "regarder.",
        "Nobody ever disagrees: {reviewed} predictions reviewed, and no disagreement. If people contested "
        "one in twenty, that would not happen. Reviews may be given without a look.",
    ),
    "overseen": (
        "Les gens contestent {disagreed} des {reviewed} prédictions examinées : {share}.",
        "People disagree with {disagreed} of {reviewed} reviewed predictions: {share}.",
    ),
}
PEOPLE_RIGHT: Pair = (
    "Là où ils étaient en désaccord ({disputed} cas connus), les gens avaient raison plus souvent que le "
    "modèle : {where}. En tout, sur {known} cas, les gens ont raison dans {people} et le modèle dans "
    "{model}.",
    "Where they disagreed ({disputed} known cases), people were right more often than the model: {where}. "
    "Over {known} cases, people were right in {people} and the model in {model}.",
)
MODEL_RIGHT: Pair = (
    "Là où ils étaient en désaccord ({disputed} cas connus), les gens avaient raison moins souvent que le "
    "modèle : {where}. En tout, sur {known} cas, les gens ont raison dans {people} et le modèle dans "
    "{model}.",
    "Where they disagreed ({disputed} known cases), people were right less often than the model: {where}. "
    "Over {known} cases, people were right in {people} and the model in {model}.",
)
NOT_TOLD: Pair = (
    "Là où ils étaient en désaccord ({disputed} cas connus), on ne peut pas dire qui avait raison le plus "
    "souvent : les gens dans {where}.",
    "Where they disagreed ({disputed} known cases), it cannot be told who was right more often: people in "
    "{where}.",
)
NEVER_DISPUTED: Pair = (
    "Sur {known} cas dont on connaît la suite, personne n'était en désaccord : le modèle a raison dans "
    "{model}.",
    "Of {known} cases whose outcome is known, nobody disagreed with any: the model was right in {model}.",
)
NO_OUTCOMES: Pair = (
    "On ne connaît la suite d'aucune prédiction examinée : on ne peut pas dire qui avait raison.",
    "No outcome of a reviewed prediction is known: it cannot be told who was right.",
)
ONE_REVIEWER: Pair = (
    "Tous ces avis viennent d'une seule personne.",
    "All these reviews are one person's.",
)
CAVEATS: Sequence[Pair] = (
    (
        "Les gens choisissent ce qu'ils examinent : ces parts ne valent que pour les prédictions examinées.",
        "People choose what they review: these shares hold for reviewed predictions only.",
    ),
    (
        "Si l'on a agi sur une prédiction, la personne est peut-être restée grâce à cela : le modèle paraît "
        "avoir tort, et qui le contestait paraît avoir raison.",
        "Where somebody acted on a prediction, the person may have stayed because of it: the model then "
        "looks wrong, and who disagreed looks right.",
    ),
    (
        "Un désaccord n'est pas une faute, ni de l'une ni de l'autre partie. L'absence de tout désaccord, "
        "ou d'avis, est ce qui doit inquiéter.",
        "A disagreement is no failure, of either side. What should worry is that nobody disagrees, or "
        "reviews.",
    ),
)
ANSWERS: Mapping[str, Pair] = {
    "flagged": ("Signalées", "Flagged"),
    "not_flagged": ("Non signalées", "Not flagged"),
}
BY_ANSWER: Pair = ("Réponse du modèle", "The model's answer")
BY_FIELD: Pair = ("Champ de la première raison", "Field of the first reason")
NAME: Pair = ("prédictions", "predictions")
REVIEWED: Pair = ("examinées", "reviewed")
DISAGREED: Pair = ("désaccords", "disagreed")
SHARE: Pair = ("part", "share")
