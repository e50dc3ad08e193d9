import pytest

from churn import domain, phrases
from churn.domain import Language
from churn.errors import FieldError


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
    assert phrases.language_of(header) == language


@pytest.mark.parametrize(
    ("name", "value", "contribution", "french", "english"),
    [
        ("annees_dans_l_entreprise", 1, 0.2, "Ancienneté : 1 an, augmente le risque",
         "Years with the company: 1 year, raises the risk"),
        ("annees_dans_l_entreprise", 0, -0.2, "Ancienneté : 0 an, diminue le risque",
         "Years with the company: 0 years, lowers the risk"),
        ("annee_experience_totale", 7.5, 0.0, "Expérience totale : 7,5 ans, sans effet sur le risque",
         "Total experience: 7.5 years, no effect on the risk"),
        ("revenu_mensuel", 2500.0, 0.1, "Revenu mensuel : 2500 €, augmente le risque",
         "Monthly income: 2500 €, raises the risk"),
        ("heure_supplementaires", "Non", -1.0, "Heures supplémentaires : Non, diminue le risque",
         "Overtime: No, lowers the risk"),
    ],
)  # fmt: skip
def test_a_reason_is_a_sentence(
    name: str, value: object, contribution: float, french: str, english: str
) -> None:
    field = domain.BY_NAME[name]
    assert phrases.reason(field, value, contribution, "fr") == french
    assert phrases.reason(field, value, contribution, "en") == english


def test_every_translated_value_is_one_of_the_dictionary() -> None:
    assert set(domain.VALUE_LABELS) <= {value for field in domain.FIELDS for value in field.categories}


def test_every_kind_of_field_error_has_a_sentence_in_both_languages() -> None:
    for kind in (
        "missing",
        "unknown_field",
        "duplicate_field",
        "target",
        "json_invalid",
        "list_type",
        "int_type",
    ):
        error = FieldError(("body",), kind, "age" if kind in ("missing", "int_type") else None)
        french, english = phrases.field_error(error, "fr"), phrases.field_error(error, "en")
        assert french != english
        assert min(len(french), len(english)) > 10


def test_an_error_of_an_unforeseen_kind_still_says_something() -> None:
    assert phrases.field_error(FieldError(("body",), "weird"), "fr") == "valeur invalide"
