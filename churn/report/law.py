"""The texts of law that a system of this kind meets, in a few words; not legal advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from churn.core.language import Pair
from churn.i18n.formatting import Locale
from churn.report import notes

Article = tuple[Pair, Pair]  # which, and what it asks


@dataclass(frozen=True, slots=True)
class Law:
    """A text of law: its name, where it stands, and what it asks, article by article."""

    name: str
    url: str
    articles: tuple[tuple[str, str], ...]


def laws(facts: Mapping[str, Any], locale: Locale) -> list[Law]:
    """Return the texts, the French labour code with what it means for this model's fields."""

    def said(articles: Sequence[Article]) -> tuple[tuple[str, str], ...]:
        return tuple((locale.pick(article), locale.pick(sentence)) for article, sentence in articles)

    own = (locale.say("Champs de ce modèle", "Fields of this model"), notes.excluded(facts, locale))
    labour_code = said(_LABOUR_CODE)
    return [
        Law(
            locale.say("Règlement (UE) 2024/1689 sur l'IA", "Regulation (EU) 2024/1689, the AI Act"),
            "https://eur-lex.europa.eu/eli/reg/2024/1689/oj",
            said(_AI_ACT),
        ),
        Law(
            locale.say("RGPD, règlement (UE) 2016/679", "GDPR, Regulation (EU) 2016/679"),
            "https://eur-lex.europa.eu/eli/reg/2016/679/oj",
            said(_GDPR),
        ),
        Law(
            locale.say("Code du travail", "French labour code (Code du travail)"),
            "https://www.legifrance.gouv.fr/codes/texte_lc/LEGITEXT000006072050/",
            (labour_code[0], own, *labour_code[1:]),
        ),
    ]


_AI_ACT: tuple[Article, ...] = (
    (
        ("Annexe III, point 4 b)", "Annex III, point 4(b)"),
        (
            "Sont à haut risque les systèmes destinés à prendre des décisions influant sur les relations de "
            "travail, la promotion ou le licenciement, à attribuer des tâches selon le comportement ou la "
            "personnalité, ou à suivre et évaluer performances et comportements. Un score individuel de "
            "départ peut en relever ; comme il s'agit d'un profilage de personnes, les exceptions de "
            "l'article 6(3) n'aident pas.",
            "Systems meant for decisions that affect work relationships, promotion or termination, that "
            "allocate tasks by behaviour or personal traits, or that monitor and evaluate performance and "
            "behaviour are high risk. An individual risk score of leaving may be one of them; as it "
            "profiles persons, the exceptions of article 6(3) do not help.",
        ),
    ),
    (
        ("Art. 12, 19, 26(6)", "Art. 12, 19, 26(6)"),
        (
            "Journalisation : le système enregistre son usage ; fournisseur et déployeur conservent ces "
            "journaux au moins six mois.",
            "Logging: the system records its use; provider and deployer keep these logs for at least six "
            "months.",
        ),
    ),
    (
        ("Art. 13, 26(7), 26(11)", "Art. 13, 26(7), 26(11)"),
        (
            "Transparence : le déployeur dispose d'une notice ; l'employeur informe au préalable les "
            "représentants des travailleurs et les travailleurs concernés ; les personnes sont informées "
            "que le système sert à des décisions qui les concernent.",
            "Transparency: the deployer has instructions for use; the employer informs workers' "
            "representatives and the workers concerned beforehand; persons are told that the system is used "
            "in decisions about them.",
        ),
    ),
    (
        ("Art. 14, 26(2)", "Art. 14, 26(2)"),
        (
            "Contrôle humain : des personnes compétentes, formées et ayant l'autorité nécessaire "
            "surveillent le système et peuvent ne pas suivre son résultat.",
            "Human oversight: competent, trained persons with the necessary authority oversee the system "
            "and may disregard its output.",
        ),
    ),
    (
        ("Art. 86", "Art. 86"),
        (
            "Droit à l'explication d'une décision individuelle prise sur la base d'un système à haut risque "
            ": ici, les raisons exactes accompagnent chaque prédiction.",
            "Right to an explanation of an individual decision taken on the basis of a high-risk system: "
            "here, the exact reasons come with each prediction.",
        ),
    ),
)

_GDPR: tuple[Article, ...] = (
    (
        ("Art. 15", "Art. 15"),
        (
            "Droit d'accès : la personne peut obtenir ses données, ses scores et des informations utiles "
            "sur la logique suivie.",
            "Right of access: the person may obtain their data, their scores and meaningful information "
            "about the logic involved.",
        ),
    ),
    (
        ("Art. 17", "Art. 17"),
        (
            "Droit à l'effacement, dans les cas prévus : il couvre le journal des prédictions comme les "
            "données d'apprentissage. Modèle et rapport ne contiennent le dossier de personne.",
            "Right to erasure, in the cases provided: it covers the journal of predictions as well as the "
            "training data. Model and report hold nobody's record.",
        ),
    ),
    (
        ("Art. 22", "Art. 22"),
        (
            "Pas de décision produisant des effets juridiques ou significatifs fondée uniquement sur le "
            "score. Un score dont la décision dépend de manière déterminante peut être lui-même une telle "
            "décision (CJUE, C-634/21, SCHUFA).",
            "No decision with legal or similarly significant effects based solely on the score. A score on "
            "which a decision draws strongly may itself be such a decision (CJEU, C-634/21, SCHUFA).",
        ),
    ),
    (
        ("Art. 35", "Art. 35"),
        (
            "Une analyse d'impact (AIPD) avant la mise en service est à prévoir : évaluation systématique de "
            "personnes par profilage.",
            "Expect to make a data protection impact assessment (DPIA) before use: a systematic evaluation "
            "of persons by profiling.",
        ),
    ),
)

_LABOUR_CODE: tuple[Article, ...] = (
    (
        ("L1132-1", "L1132-1"),
        (
            "Nul ne peut être écarté, sanctionné, licencié ou traité moins favorablement, directement ou "
            "non, en raison notamment de son sexe, de son âge, de sa situation de famille ou de son lieu de "
            "résidence.",
            "Nobody may be turned away, sanctioned, dismissed or treated less favourably, directly or "
            "indirectly, because of, among others, sex, age, family situation or place of residence.",
        ),
    ),
    (
        ("L1222-4", "L1222-4"),
        (
            "Aucune information concernant personnellement un salarié ne peut être collectée par un "
            "dispositif qui n'a pas été porté préalablement à sa connaissance.",
            "No information about an employee personally may be collected by a means that was not made "
            "known to them beforehand.",
        ),
    ),
    (
        ("L2312-38", "L2312-38"),
        (
            "Le comité social et économique (CSE) est informé, avant leur introduction, des traitements "
            "automatisés de gestion du personnel, et consulté avant la mise en œuvre de moyens de contrôle "
            "de l'activité.",
            "The works council (CSE) is informed of automated personnel-management processing before it is "
            "introduced, and consulted before means of monitoring employees' activity are put to use.",
        ),
    ),
)
