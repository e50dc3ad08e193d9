"""What a body is instead of what was expected, where that can be told, and what to do."""

from churn.core.language import Pair

UTF_16: Pair = ("il est en UTF-16, l'envoyer en UTF-8", "it is UTF-16, send it as UTF-8")
A_MARK: Pair = (
    "il commence par un indicateur d'ordre des octets (BOM), à retirer",
    "it begins with a byte order mark (BOM), leave it out",
)
NOT_UTF_8: Pair = (
    "il n'est pas en UTF-8 (Latin-1, Windows-1252 ?), l'envoyer en UTF-8",
    "it is not UTF-8 (Latin-1, Windows-1252?), send it as UTF-8",
)
A_LIST: Pair = ("une liste d'employés va à /predict_batch", "a list of employees goes to /predict_batch")
A_LEVEL: Pair = (
    'les champs sont attendus sans ce niveau autour d\'eux (avec pandas : orient="records")',
    'the fields are expected without this level around them (with pandas: orient="records")',
)
AN_INDEX: Pair = (
    "un index écrit par pandas, à retirer (index=False)",
    "an index that pandas wrote, leave it out (index=False)",
)
NOT_A_NUMBER: Pair = (
    "{expected} ; NaN n'est pas un nombre, envoyer null si la valeur est inconnue",
    "{expected}; NaN is no number, send null where the value is unknown",
)
