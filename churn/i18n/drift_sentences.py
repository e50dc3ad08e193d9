"""What a look at the drift shows, in sentences and headings, French and English."""

from collections.abc import Mapping

from churn.core.language import Pair

# By verdict. `enough` rows are the fewest that can tell something; `odds` are those of leaving.
SUMMARIES: Mapping[str, Pair] = {
    "no_reference": (
        "Le modèle {model} a été entraîné avant que les modèles gardent une référence : il n'y a rien à quoi "
        "comparer ses prédictions. Entraînez-en un nouveau (churn train), puis mettez-le en service.",
        "Model {model} was trained before models kept a reference: there is nothing to compare its "
        "predictions with. Train a new one (churn train), then promote it.",
    ),
    "empty": (
        "Aucune prédiction du modèle {model} dans cette période.",
        "There is no prediction by model {model} in this period.",
    ),
    "too_few": (
        "On ne peut rien conclure de {rows} lignes : il en faudrait {enough} pour montrer un changement de "
        "{change} des log-odds moyens (cotes de départ {odds}).",
        "Nothing can be told from {rows} rows: {enough} would show a change of {change} in the mean log-odds "
        "(odds of leaving {odds}).",
    ),
    "calm": (
        "Rien n'a bougé que {rows} lignes puissent montrer. Un changement de {detectable} des log-odds "
        "moyens (cotes de départ {detectable_odds}) se verrait quatre fois sur cinq.",
        "Nothing has moved that {rows} rows can show. A change of {detectable} in the mean log-odds (odds of "
        "leaving {detectable_odds}) would show four times in five.",
    ),
    "drift": (
        "Ces personnes ne ressemblent plus à celles dont le modèle a appris. Ont bougé : {moved}.",
        "These people are no longer like those the model learned from. What has moved: {moved}.",
    ),
}

TOO_SMALL_A_REFERENCE: Pair = (
    "Le modèle n'a appris que de {reference} personnes : aucun nombre de lignes ne montrerait un changement "
    "de {change} des log-odds moyens.",
    "The model learned from {reference} people only: no number of rows would show a change of {change} in "
    "the mean log-odds.",
)

MEAN_RISK: Pair = ("le risque moyen", "the mean risk")
FLAGGED: Pair = (
    "Part signalée : {before} à l'entraînement, {now} dans la période (en points : {points}).",
    "Share flagged: {before} in training, {now} in the period (in points: {points}).",
)
LOG_ODDS: Pair = (
    "Log-odds moyens : {before} à l'entraînement, {now} dans la période (écart {change}, intervalle à "
    "95 % de {low} à {high}).",
    "Mean log-odds: {before} in training, {now} in the period (change {change}, 95% interval from {low} to "
    "{high}).",
)
LEFT_OUT: Pair = (
    "Laissées de côté : {repeats} répétitions d'un même employé, {erased} lignes de personnes effacées, "
    "{hypothetical} simulations, {unreadable} lignes illisibles.",
    "Left out: {repeats} repeats of an employee, {erased} rows of erased people, {hypothetical} what-ifs, "
    "{unreadable} unreadable rows.",
)
NAMELESS: Pair = (
    "{count} lignes n'ont pas d'identifiant : si elles répètent les mêmes personnes, les tests se trompent.",
    "{count} rows have no employee's id: if they repeat the same people, the tests are wrong.",
)
FROM_ONE_ROW: Pair = (
    "On ne peut rien conclure d'une ligne : il en faudrait {enough} pour montrer un changement de {change} "
    "des log-odds moyens (cotes de départ {odds}).",
    "Nothing can be told from one row: {enough} would show a change of {change} in the mean log-odds (odds "
    "of leaving {odds}).",
)
ONE_NAMELESS: Pair = (
    "1 ligne n'a pas d'identifiant : elle peut répéter quelqu'un d'autre.",
    "1 row has no employee's id: it may repeat somebody else.",
)
SAMPLED: Pair = (
    "La période a {predictions} prédictions : on en a lu un échantillon, tiré au hasard, de {read}.",
    "The period has {predictions} predictions: a random sample of {read} was read.",
)
OTHERS: Pair = (
    "D'autres modèles ont prédit dans cette période, et chacun se regarde à part : {models}.",
    "Other models predicted in this period, and each is looked at by itself: {models}.",
)

# Of the table, a row a field.
FIELD: Pair = ("Champ", "Field")
EFFECT: Pair = ("Effet", "Effect")
P_VALUE: Pair = ("p", "p")
PSI: Pair = ("PSI", "PSI")
UNKNOWN: Pair = ("Inconnu", "Unknown")
BEYOND: Pair = ("Hors plage", "Out of range")
MOVED: Pair = ("a bougé", "moved")
READING: Pair = (
    "Effet : ce que le champ change aux log-odds moyens ; la somme des effets est leur écart. « * » : le "
    "champ a bougé plus que le hasard ne l'explique. Le PSI est une taille, pas une alarme.",
    "Effect: what the field changes in the mean log-odds; the effects add up to their change. “*”: the field "
    "has moved more than chance explains. The PSI is a size, not an alarm.",
)
