"""The extracts and the API read the same value the same way."""

import csv
from pathlib import Path

import pytest
from pydantic import ValidationError

from churn import domain, extracts
from churn.errors import ExtractError
from churn.sample import write_sample
from churn.schemas import EXAMPLE, Employee

REFUSED = object()


def by_extract(folder: Path, field: domain.Field, text: str) -> object:
    """Return the value of a field once it is read from an extract."""
    write_sample(folder, rows=2)
    path = folder / f"extrait_{field.extract}.csv"
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    column = next(n for n, name in enumerate(rows[0]) if domain.fold_name(name) in field.spellings)
    rows[1][column] = text
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    for other in folder.glob("*.csv"):
        if other != path:
            other.write_text(other.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    try:
        return extracts.read(folder)[field.name].tolist()[0]
    except ExtractError:
        return REFUSED


def by_api(field: domain.Field, value: object) -> object:
    try:
        return Employee.model_validate({**EXAMPLE, field.name: value}).record()[field.name]
    except ValidationError:
        return REFUSED


PERCENTAGES = [
    *("11 %", "11%", "11,5 %", "11", "1", "1 %", "0.11", "0,11", "0.5 %", "0.123456789123", "1e1"),
    *("1e13", "1_1", "+11", "-1", "onze", "%", "nan", "inf", "١١"),
]
CATEGORIES = [
    *(("poste", text) for text in ("TechLead", "tech lead", "Représentant commercial", "CEO")),
    *(("genre", text) for text in ("f", "X")),
    ("frequence_deplacement", "Fréquent"),
    ("domaine_etude", "InfraCloud"),
    ("statut_marital", "Marie"),
    ("heure_supplementaires", "oui"),
    ("departement", "RH"),
]
NUMBERS = [
    *(("revenu_mensuel", number) for number in (0, 2500.5, 1e12, 1e13, -1)),
    *(("annees_dans_l_entreprise", number) for number in (0, 3.0, 3.5, 1e12, 1e15)),
    *(("age", number) for number in (17, 18, 70, 71)),
]


@pytest.mark.parametrize("text", PERCENTAGES)
def test_a_percentage(text: str, tmp_path: Path) -> None:
    field = domain.BY_NAME["augmentation_salaire_precedente"]
    assert by_extract(tmp_path, field, text) == by_api(field, text)


@pytest.mark.parametrize(("name", "text"), CATEGORIES)
def test_a_category(name: str, text: str, tmp_path: Path) -> None:
    field = domain.BY_NAME[name]
    assert by_extract(tmp_path, field, text) == by_api(field, text)


@pytest.mark.parametrize(("name", "number"), NUMBERS)
def test_a_number(name: str, number: float, tmp_path: Path) -> None:
    field = domain.BY_NAME[name]
    assert by_extract(tmp_path, field, repr(number)) == by_api(field, number)
