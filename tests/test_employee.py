import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from churn.core.language import Language
from churn.dictionary.field import Field
from churn.dictionary.folding import fold_name
from churn.dictionary.technova import TECHNOVA
from churn.i18n.expectations import expected
from tests.support.company import EXAMPLE, MODELS


def categories(annotation: object) -> tuple[str, ...]:
    """Return the spellings that a `Literal` annotation allows, None left out."""
    parts = (annotation, *get_args(annotation))
    return tuple(value for part in parts for value in get_args(part) if isinstance(value, str))


def errors_of(**changes: object) -> dict[str, str]:
    with pytest.raises(ValidationError, match="validation error") as caught:
        MODELS.employee.model_validate({**EXAMPLE, **changes})
    return {str(error["loc"][0]): error["type"] for error in caught.value.errors()}


def value_of(name: str, value: object) -> object:
    """Return a field of the example record after a value was given to it, under any spelling."""
    canonical = TECHNOVA.names.by_spelling[fold_name(name)].name
    record = {key: old for key, old in EXAMPLE.items() if key != canonical}
    return MODELS.employee.model_validate({**record, name: value}).record()[canonical]


def test_the_schema_is_the_field_dictionary() -> None:
    assert list(MODELS.employee.model_fields) == [field.name for field in TECHNOVA.inputs]
    required = {name for name, info in MODELS.employee.model_fields.items() if info.is_required()}
    assert required == {field.name for field in TECHNOVA.core}
    for field in TECHNOVA.inputs:
        assert categories(MODELS.employee.model_fields[field.name].annotation) == field.categories


def test_changes_are_the_employees_fields_none_of_them_required() -> None:
    assert list(MODELS.changes.model_fields) == list(MODELS.employee.model_fields)
    assert MODELS.changes().given() == {}
    for field in TECHNOVA.inputs:
        own, inherited = MODELS.changes.model_fields[field.name], MODELS.employee.model_fields[field.name]
        assert not own.is_required()
        if field is not TECHNOVA.identifier:
            assert (own.annotation, own.metadata) == (inherited.annotation, inherited.metadata)
            assert own.description == inherited.description


@pytest.mark.parametrize("model", [MODELS.employee, MODELS.changes, MODELS.question])
def test_the_example_of_a_schema_is_valid(model: type[BaseModel]) -> None:
    example = model.model_json_schema()["example"]
    assert set(model.model_validate(example).model_fields_set) == set(example)


def test_the_core_fields_are_enough_and_the_rest_is_unknown() -> None:
    record = MODELS.employee.model_validate(EXAMPLE).record()
    assert {name for name, value in record.items() if value is not None} == set(EXAMPLE)


@pytest.mark.parametrize("field", [f for f in TECHNOVA.inputs if f.numeric], ids=lambda f: f.name)
def test_the_bounds_of_a_number_are_those_of_the_dictionary(field: Field) -> None:
    low = field.minimum or 0
    assert value_of(field.name, low) == low
    assert errors_of(**{field.name: low - 1}) == {field.name: "greater_than_equal"}
    if field.maximum is not None:
        assert value_of(field.name, field.maximum) == field.maximum
        assert errors_of(**{field.name: field.maximum + 1}) == {field.name: "less_than_equal"}


@pytest.mark.parametrize(
    ("spelling", "field"),
    [(s, f) for f in TECHNOVA.inputs for s in f.spellings],
    ids=lambda x: getattr(x, "name", x),
)
def test_every_alias_is_accepted_in_any_case_and_with_accents(spelling: str, field: Field) -> None:
    value: Any = field.categories[0] if field.categories else 3 if field.maximum != 70 else 40
    for written in (spelling, spelling.upper(), spelling.replace("e", "é")):
        assert value_of(written, value) in (value, float(value) if isinstance(value, int) else value)


@pytest.mark.parametrize(
    ("name", "written", "canonical"),
    [
        ("statut_marital", "Marie", "Marié(e)"),
        ("statut_marital", "celibataire", "Célibataire"),
        ("statut_marital", "Divorce", "Divorcé(e)"),
        ("departement", "RessourcesHumaines", "Ressources Humaines"),
        ("poste", "CadreCommercial", "Cadre Commercial"),
        ("poste", "AssistantdeDirection", "Assistant de Direction"),
        ("poste", "representant commercial", "Représentant Commercial"),
        ("domaine_etude", "InfraCloud", "Infra & Cloud"),
        ("domaine_etude", "Entrepreneuriat", "Entrepreunariat"),
        ("frequence_deplacement", "Fréquent", "Frequent"),
        ("heures_supp", "OUI", "Oui"),
    ],
)
def test_the_spellings_of_a_category_become_one(name: str, written: str, canonical: str) -> None:
    assert value_of(name, written) == canonical


@pytest.mark.parametrize("written", ["11 %", "11%", " 11,0 % ", "11", 11, 11.0, 0.11, "0,11"])
def test_a_percentage_may_be_text_a_number_or_a_fraction(written: object) -> None:
    assert value_of("augmentation_salaire_precedente", written) == 11


def test_a_percent_sign_means_percent() -> None:
    assert value_of("augmentation_salaire_precedente", "0.5 %") == 0.5


@pytest.mark.parametrize("value", [True, "3", None, [3], {"a": 3}, 3.5, float("nan"), float("inf"), 10**400])
def test_what_is_no_integer_is_refused(value: object) -> None:
    assert set(errors_of(annees_dans_l_entreprise=value)) == {"annees_dans_l_entreprise"}


@pytest.mark.parametrize("value", [True, "3", None, [], float("nan"), float("-inf"), 10**400])
def test_what_is_no_number_is_refused(value: object) -> None:
    assert set(errors_of(revenu_mensuel=value)) == {"revenu_mensuel"}


@pytest.mark.parametrize("value", [True, "", "onze", "nan", "inf %", -1, "-1 %", [11], float("nan")])
def test_what_is_no_percentage_is_refused(value: object) -> None:
    assert set(errors_of(augmentation_salaire_precedente=value)) == {"augmentation_salaire_precedente"}


@pytest.mark.parametrize("value", ["", "Peut-être", 1, True, ["Oui"]])
def test_an_unknown_category_is_refused(value: object) -> None:
    assert errors_of(heure_supplementaires=value) == {"heure_supplementaires": "literal_error"}


@pytest.mark.parametrize("value", [True, -1, 1.5, "", "  ", "x" * 65, 2**63, [1]])
def test_what_names_nobody_is_refused(value: object) -> None:
    assert set(errors_of(employee_id=value)) == {"employee_id"}


@pytest.mark.parametrize(("value", "kept"), [(12, 12), (12.0, 12), ("E_12", "E_12"), (2**63 - 1, 2**63 - 1)])
def test_an_identifier_is_a_number_or_a_text(value: object, kept: object) -> None:
    assert value_of("id_employee", value) == kept


def test_three_point_zero_is_the_integer_three() -> None:
    kept = value_of("pee", 3.0)
    assert (kept, type(kept)) == (3, int)


def test_two_spellings_of_one_field_are_refused_whichever_comes_first() -> None:
    canonical = "nombre_participation_pee"
    rest = {name: value for name, value in EXAMPLE.items() if name != canonical}
    for first, second in ((canonical, "pee"), ("pee", canonical), ("pee", "PEA")):
        with pytest.raises(ValidationError, match="extra_forbidden"):
            MODELS.employee.model_validate({**rest, first: 1, second: 1})


def test_unknown_fields_and_the_target_are_refused_by_name() -> None:
    assert errors_of(couleur="bleu", a_quitte_l_entreprise="Oui") == {
        "couleur": "extra_forbidden",
        "a_quitte_l_entreprise": "extra_forbidden",
    }


def test_an_error_does_not_repeat_the_value() -> None:
    with pytest.raises(ValidationError, match="validation error") as caught:
        MODELS.employee.model_validate({**EXAMPLE, "revenu_mensuel": "secret-987654"})
    assert "987654" not in str(caught.value)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(st.dictionaries(st.sampled_from([s for f in TECHNOVA.fields for s in f.spellings]), ANYTHING))
def test_whatever_is_sent_is_refused_or_cleaned_for_good(record: dict[str, object]) -> None:
    try:
        employee = MODELS.employee.model_validate({**EXAMPLE, **record})
    except ValidationError:
        return
    cleaned = employee.record()
    # Only with its sign is every percentage one: up to 1, a number alone is read as a fraction.
    percent = cleaned["augmentation_salaire_precedente"]
    signed = None if percent is None else f"{percent!r} %"
    again = MODELS.employee.model_validate({**cleaned, "augmentation_salaire_precedente": signed})
    assert again == employee
    json.dumps(employee.record(), allow_nan=False)


def test_the_two_languages_name_every_field_and_expectation() -> None:
    for field in TECHNOVA.inputs:
        assert expected(field, "fr") != expected(field, "en")
        assert field.label("fr")
        assert field.label("en")
    assert get_args(Language) == ("fr", "en")
