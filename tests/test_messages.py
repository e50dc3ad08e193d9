from typing import get_args

import pytest

from churn.core.errors import FieldError
from churn.core.language import Language
from churn.dictionary.technova import TECHNOVA
from churn.i18n import messages, refusal_sentences


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "fr"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("fr-CH, en;q=0.9", "fr"),
        ("en;q=0.3, fr;q=0.7", "fr"),
        ("en;q=0.8, fr;q=0.7", "en"),
        ("en;q=0, fr", "fr"),
        ("en;q=0", "fr"),
        ("de, en;q=0.1", "en"),
        ("en;q=abc", "fr"),
        ("*", "fr"),
        (",;,", "fr"),
    ],
)
def test_the_language_is_what_the_header_prefers(header: str, language: Language) -> None:
    assert messages.language_of(header) == language


@pytest.mark.parametrize(
    ("name", "value", "contribution", "french", "english"),
    [
        ("heure_supplementaires", "Oui", 1.3, "Heures supplémentaires : oui, augmente le risque",
         "Overtime: yes, raises the risk"),
        ("heure_supplementaires", "Non", -1.0, "Heures supplémentaires : non, diminue le risque",
         "Overtime: no, lowers the risk"),
        ("frequence_deplacement", "Frequent", 0.4,
         "Fréquence des déplacements : fréquent, augmente le risque",
         "Business travel: frequent, raises the risk"),
        ("frequence_deplacement", "Aucun", -0.4, "Fréquence des déplacements : aucun, diminue le risque",
         "Business travel: none, lowers the risk"),
        ("poste", "Représentant Commercial", 0.4, "Poste : Représentant commercial, augmente le risque",
         "Job: Sales representative, raises the risk"),
        ("departement", "Ressources Humaines", 0.4, "Département : Ressources humaines, augmente le risque",
         "Department: Human resources, raises the risk"),
        ("domaine_etude", "Infra & Cloud", 0.4, "Domaine d'étude : Infra & Cloud, augmente le risque",
         "Field of study: Infra & Cloud, raises the risk"),
        ("satisfaction_employee_environnement", 1, 0.7,
         "Satisfaction (environnement) : 1 sur 4, augmente le risque",
         "Satisfaction (environment): 1 of 4, raises the risk"),
        ("note_evaluation_actuelle", 3, 0.1, "Évaluation actuelle : 3 sur 4, augmente le risque",
         "Current review: 3 of 4, raises the risk"),
        ("niveau_hierarchique_poste", 2, -0.1, "Niveau hiérarchique : 2 sur 5, diminue le risque",
         "Job level: 2 of 5, lowers the risk"),
        ("annees_dans_l_entreprise", 1, 0.2, "Ancienneté : 1 an, augmente le risque",
         "Years with the company: 1 year, raises the risk"),
        ("annees_dans_l_entreprise", 0, -0.2, "Ancienneté : 0 an, diminue le risque",
         "Years with the company: 0 years, lowers the risk"),
        ("annee_experience_totale", 7.5, 0.0, "Expérience totale : 7,5 ans, sans effet sur le risque",
         "Total experience: 7.5 years, no effect on the risk"),
        ("revenu_mensuel", 2500.0, 0.1, "Revenu mensuel : 2 500 €, augmente le risque",
         "Monthly income: €2,500, raises the risk"),
        ("revenu_mensuel", 1234567.891, -0.1, "Revenu mensuel : 1 234 567,89 €, diminue le risque",
         "Monthly income: €1,234,567.89, lowers the risk"),
        ("revenu_mensuel", 1e12, -0.1, "Revenu mensuel : 1 000 000 000 000 €, diminue le risque",
         "Monthly income: €1,000,000,000,000, lowers the risk"),
        ("revenu_mensuel", 0.001, 0.1, "Revenu mensuel : 0 €, augmente le risque",
         "Monthly income: €0, raises the risk"),
        ("augmentation_salaire_precedente", 11.5, 0.1, "Dernière augmentation : 11,5 %, augmente le risque",
         "Last pay rise: 11.5%, raises the risk"),
        ("distance_domicile_travail", 20.0, 0.1, "Distance domicile-travail : 20 km, augmente le risque",
         "Distance from home to work: 20 km, raises the risk"),
        ("nombre_participation_pee", 0, 0.6, "Participations au PEE : 0, augmente le risque",
         "Savings-plan take-ups: 0, raises the risk"),
    ],
)  # fmt: skip
def test_a_reason_is_a_sentence(
    name: str, value: object, contribution: float, french: str, english: str
) -> None:
    field = TECHNOVA.by_name[name]
    assert messages.reason(field, value, contribution, "fr") == french
    assert messages.reason(field, value, contribution, "en") == english


def test_a_reason_without_a_field_is_that_of_all_others() -> None:
    said = [(messages.reason(None, None, c, "fr"), messages.reason(None, None, c, "en")) for c in (0.1, -0.1)]
    assert said == [
        ("Autres facteurs : leur somme augmente le risque", "Other factors: their sum raises the risk"),
        ("Autres facteurs : leur somme diminue le risque", "Other factors: their sum lowers the risk"),
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "probability", "french", "english"),
    [
        ("heure_supplementaires", "Oui", "Non", 0.1234,
         "Heures supplémentaires : passer de oui à non ramène le risque à 12 %",
         "Overtime: going from yes to no brings the risk down to 12%"),
        ("frequence_deplacement", "Occasionnel", "Aucun", 0.172,
         "Fréquence des déplacements : passer d'occasionnel à aucun ramène le risque à 17 %",
         "Business travel: going from occasional to none brings the risk down to 17%"),
        ("revenu_mensuel", 2517.5, 2767.5, 0.2,
         "Revenu mensuel : passer de 2 517,5 € à 2 767,5 € ramène le risque à 20 %",
         "Monthly income: going from €2,517.5 to €2,767.5 brings the risk down to 20%"),
        ("distance_domicile_travail", 20.0, 12.0, 0.07,
         "Distance domicile-travail : passer de 20 km à 12 km (télétravail) ramène le risque à 7 %",
         "Distance from home to work: going from 20 km to 12 km (remote work) brings the risk down to 7%"),
        ("annees_depuis_la_derniere_promotion", 5, 0, 0.0099,
         "Années depuis la dernière promotion : passer de 5 ans à 0 an (promotion) ramène le risque à "
         "moins de 1 %",
         "Years since the last promotion: going from 5 years to 0 years (promotion) brings the risk down "
         "to less than 1%"),
        ("nb_formations_suivies", 0, 3, 0.01, "Formations suivies : passer de 0 à 3 ramène le risque à 1 %",
         "Courses last year: going from 0 to 3 brings the risk down to 1%"),
    ],
)  # fmt: skip
def test_a_suggestion_is_a_sentence(
    name: str, old: object, new: object, probability: float, french: str, english: str
) -> None:
    field, lever = TECHNOVA.by_name[name], TECHNOVA.levers[name]
    assert messages.suggestion(field, lever, (old, new), probability, "fr") == french
    assert messages.suggestion(field, lever, (old, new), probability, "en") == english


def test_every_outcome_of_a_what_if_has_its_sentence_in_both_languages() -> None:
    said = {messages.outcome(kind, lang) for kind in get_args(messages.Outcome) for lang in ("fr", "en")}
    assert len(said) == 2 * len(get_args(messages.Outcome))


def test_every_translated_value_is_one_of_the_dictionary() -> None:
    assert all(set(field.value_labels) <= set(field.categories) for field in TECHNOVA.fields)


def test_every_kind_of_field_error_has_a_sentence_in_both_languages() -> None:
    for kind in (
        "missing",
        "unknown_field",
        "duplicate_field",
        "same_person",
        "target",
        "json_invalid",
        "list_type",
        "int_type",
    ):
        error = FieldError(("body",), kind, "age" if kind in ("missing", "int_type") else None)
        french, english = (
            refusal_sentences.field_error(error, "fr"),
            refusal_sentences.field_error(error, "en"),
        )
        assert french != english
        assert min(len(french), len(english)) > 10


def test_an_error_of_an_unforeseen_kind_still_says_something() -> None:
    assert refusal_sentences.field_error(FieldError(("body",), "weird"), "fr") == "valeur invalide"
