"""How good predictions turned out to be, in sentences and headings, French and English."""

from collections.abc import Mapping, Sequence

from churn.core.language import Pair

MEASURED: Pair = (
    "Sur {rows} prédictions suivies, {leavers} départs en {days} jours. L'aire sous la courbe ROC est de "
    "{auc} : c'est la probabilité que le modèle place quelqu'un qui est parti au-dessus de quelqu'un qui "
    "est resté.",
    "Of {rows} predictions that were followed, {leavers} people left within {days} days. The ROC-AUC is "
    "{auc}: the probability that the model ranks somebody who left above somebody who stayed.",
)
# By reason.
REFUSALS: Mapping[str, Pair] = {
    "leavers": (
        "On ne peut rien conclure : {leavers} départs sont connus en {days} jours, il en faut {least}.",
        "Nothing can be told: {leavers} leavers are known within {days} days, and {least} are needed.",
    ),
    "stayers": (
        "On ne peut rien conclure : personne n'a été suivi {days} jours sans partir.",
        "Nothing can be told: nobody is known to have stayed for {days} days.",
    ),
}
EXCESS_ABOVE: Pair = (
    "Plus de personnes sont parties que prédit, de {points} points : le modèle sous-estime le risque.",
    "More people left than predicted, by {points} points: the model understates the risk.",
)
EXCESS_BELOW: Pair = (
    "Moins de personnes sont parties que prédit, de {points} points : le modèle surestime le risque.",
    "Fewer people left than predicted, by {points} points: the model overstates the risk.",
)
COVERAGE: Pair = (
    "Ce qu'ils sont devenus est connu de {known} employés sur {employees} ({share}). Si l'on a surtout "
    "enregistré les départs, tous ces chiffres sont faussés : enregistrez aussi qui est encore là.",
    "What has become of them is known of {known} employees out of {employees} ({share}). Where mostly "
    "leavers were recorded, all these figures are wrong: record who is still here, too.",
)
REPEATS: Pair = (
    "Laissées de côté, car la personne était déjà suivie : {count}.",
    "Left out, as the person was followed already: {count}.",
)
LATE: Pair = (
    "Laissées de côté, car faites après ce qui est connu de la personne : {count}.",
    "Left out, as made after what is known of the person: {count}.",
)
ACTING: Pair = (
    "Agir sur une prédiction change la suite : si un entretien a retenu quelqu'un, la prédiction "
    "paraît fausse alors qu'elle a servi. Seul un groupe sans aucune action dirait ce que vaut le modèle.",
    "Acting on a prediction changes what follows: where a talk has kept somebody, the prediction looks wrong "
    "though it was of use. Only a group on which nobody acts would show what the model is worth.",
)
WEIGHTED: Pair = (
    "Pas encore suivies jusqu'au bout : {count} personnes. Les autres comptent pour elles, à "
    "condition que la durée du suivi ne dépende pas du risque.",
    "Not followed to the end yet: {count} people. The others stand for them, provided that how long "
    "people are followed does not depend on the risk.",
)

FIGURES: Mapping[str, Pair] = {
    "rate": ("partis", "left"),
    "excess": ("écart, en points", "beyond, in points"),
    "roc_auc": ("ROC-AUC", "ROC-AUC"),
    "average_precision": ("précision moyenne", "average precision"),
    "recall": ("rappel", "recall"),
    "precision": ("précision", "precision"),
    "slope": ("pente de calibration", "calibration slope"),
}
ALL: Pair = ("toutes", "all")
PREDICTIONS: Pair = ("prédictions", "predictions")
ROWS: Pair = ("lignes", "rows")
LEAVERS: Pair = ("départs", "leavers")
TOO_FEW: Pair = ("trop peu", "too few")
BY_MONTH: Pair = ("Mois de la prédiction", "Month of the prediction")
CAVEATS: Sequence[Pair] = (
    (
        "Rien n'est dit des personnes dont personne n'a enregistré la suite. Si elles diffèrent des autres, "
        "tous ces chiffres sont faussés.",
        "Nothing is said about people whose outcome nobody recorded. If these are not like the others, all "
        "figures are wrong.",
    ),
    (
        "Un petit groupe a un large intervalle : deux groupes dont les intervalles se recouvrent peuvent "
        "être semblables.",
        "A small group has a wide interval: two groups whose intervals overlap may be alike.",
    ),
    (
        "Ces chiffres parlent du passé. L'onglet Dérive dit si les personnes ont changé depuis.",
        "These figures are about the past. The tab Drift says whether people have changed since.",
    ),
)
